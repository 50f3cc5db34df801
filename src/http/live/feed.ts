import type { Server, ServerWebSocket } from "bun";
import type { Session } from "../../auth/sessions/sessions.ts";
import { AppError } from "../../errors.ts";
import type { LiveOverview } from "./overview.ts";
import { LIVE_CLOSE, type LiveFrame, type LiveSample } from "./schema.ts";

export interface LiveSocketData {
  protocol: "live";
  /** Undefined if the socket was opened with the admin key itself. */
  session: Session | undefined;
}

export type LiveSocket = ServerWebSocket<LiveSocketData>;

interface LiveFeedOptions {
  overview: LiveOverview;
  /** Resolves with those of the sessions that have ended. */
  endedOf(sessions: readonly Session[]): Promise<Session[]>;
  /** Returns the server, which is made after the feed. It publishes to the sockets that subscribe to a topic. */
  channel: () => { publish(topic: string, text: string): unknown; subscriberCount(topic: string): number };
}

const TOPIC = "live";
const SOCKETS_MAX = 100;
/** Enough for some minutes of frames. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

export type LiveFeed = ReturnType<typeof createLiveFeed>;

/** The live views: sockets of administrators that are sent a frame each second. */
export function createLiveFeed({ overview, endedOf, channel }: LiveFeedOptions) {
  const sockets = new Set<LiveSocket>();
  const frames = createFrames(overview);
  /** The last of the frames that are being made. Frames are sent in their order. */
  let publishing: Promise<void> | undefined;
  let stopped = false;
  let isChecking = false;

  /** Sends the first frame. No frame is lost between it and those that are published. */
  async function greet(ws: LiveSocket): Promise<void> {
    await overview.prepare();
    while (publishing) await publishing;
    if (!sockets.has(ws)) return;
    const isAlone = channel().subscriberCount(TOPIC) === 0;
    ws.sendText(JSON.stringify(frames.first(isAlone)));
    ws.subscribe(TOPIC);
  }

  async function publish(sample: LiveSample, previous: Promise<void> | undefined): Promise<void> {
    await previous;
    await overview.prepare();
    channel().publish(TOPIC, JSON.stringify(frames.next(sample)));
  }

  function closeSlow(): void {
    for (const ws of sockets) if (ws.getBufferedAmount() > BUFFERED_BYTES_MAX) close(ws, "too_slow");
  }

  function endSessions(hashes: ReadonlySet<string>): void {
    for (const ws of sockets) {
      const { session } = ws.data;
      if (session && hashes.has(session.hash)) close(ws, "session_ended");
    }
  }

  /** Also notices the sessions that another server has ended. */
  async function checkSessions(): Promise<void> {
    const sessions = [...sockets].flatMap(({ data }) => data.session ?? []);
    if (isChecking || sessions.length === 0) return;
    isChecking = true;
    const ended = await endedOf(sessions);
    isChecking = false;
    endSessions(new Set(ended.map(({ hash }) => hash)));
  }

  return {
    /**
     * Upgrades the request of an administrator. Throws an `AppError`: live_full, draining, upgrade_required.
     */
    upgrade(request: Request, server: Server<LiveSocketData>, session: Session | undefined): void {
      if (stopped) throw new AppError("draining");
      if (sockets.size >= SOCKETS_MAX) throw new AppError("live_full");
      const data: LiveSocketData = { protocol: "live", session };
      if (!server.upgrade(request, { data }))
        throw new AppError("upgrade_required", { hint: "Open the live view with a WebSocket upgrade." });
    },

    /** Handles the sockets whose data is `LiveSocketData`. */
    websocket: {
      open(ws: LiveSocket): void {
        sockets.add(ws);
        void greet(ws).catch(() => ws.close(1011));
      },
      message: (ws: LiveSocket) => close(ws, "unasked"),
      close: (ws: LiveSocket) => void sockets.delete(ws),
    },

    /** Call it once a second, whether there is a live view or not. */
    tick(): void {
      const sample = overview.closeSecond();
      closeSlow();
      void checkSessions();
      if (!sample) return;
      if (channel().subscriberCount(TOPIC) === 0) {
        frames.skip();
        return;
      }
      const own = publish(sample, publishing).catch(() => {});
      publishing = own;
      void own.then(() => {
        if (publishing === own) publishing = undefined;
      });
    },

    /** Closes the live views of sessions that have ended, which are named by the hashes of their cookies. */
    endSessions: (hashes: readonly string[]) => endSessions(new Set(hashes)),

    /** Closes the live views of all sessions that have ended. Runs once a second by itself. */
    checkSessions: () => void checkSessions(),

    /** Closes every live view, and opens no more. */
    stop(): void {
      stopped = true;
      for (const ws of [...sockets]) close(ws, "stopping");
    },
  };
}

function close(ws: LiveSocket, why: keyof typeof LIVE_CLOSE): void {
  ws.close(LIVE_CLOSE[why].code, LIVE_CLOSE[why].reason);
}

/** Makes the frames in their order. Each has what is new since the previous one. */
function createFrames(live: LiveOverview) {
  let asksSent = 0;
  let modelsSent = "";
  return {
    /**
     * Returns the first frame for a new view, up to the last frame of the others. `isAlone`: there are no
     * others.
     */
    first(isAlone: boolean): LiveFrame {
      const overview = live.read(asksSent);
      if (isAlone) modelsSent = JSON.stringify(overview.models);
      return { type: "overview", ...overview };
    },
    next(sample: LiveSample): LiveFrame {
      const models = live.models();
      const asText = JSON.stringify(models);
      const asks = live.asksAfter(asksSent);
      const isNews = asText !== modelsSent;
      modelsSent = asText;
      asksSent = live.asksCount;
      return { type: "second", ...live.pool(), ...(isNews && { models }), sample, asks };
    },
    skip() {
      asksSent = live.asksCount;
    },
  };
}
