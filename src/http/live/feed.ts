import type { Server, ServerWebSocket } from "bun";
import type { Session } from "../../auth/sessions.ts";
import { AppError } from "../../errors.ts";
import type { Figures } from "./figures.ts";
import { LIVE_CLOSE, type LiveFrame, type LiveSample } from "./schema.ts";

export interface LiveSocketData {
  protocol: "live";
  /** Undefined for one that was opened by the admin key itself. */
  session: Session | undefined;
}

export type LiveSocket = ServerWebSocket<LiveSocketData>;

/** Where what is published goes, to every socket that subscribes to the topic. */
export interface Channel {
  publish(topic: string, text: string): unknown;
  subscriberCount(topic: string): number;
}

interface LiveFeedOptions {
  figures: Figures;
  isAlive(session: Session): boolean;
  /** The server, which is made after it. */
  channel: () => Channel;
  socketsMax?: number;
}

/** The live views: sockets of administrators that are told once a second what goes on. */
export interface LiveFeed {
  /** Upgrades the request of an administrator; throws an `AppError`: live_full, draining, upgrade_required. */
  upgrade(request: Request, server: Server<LiveSocketData>, session: Session | undefined): void;
  /** Of the sockets whose data is `LiveSocketData`. */
  websocket: { open(ws: LiveSocket): void; message(ws: LiveSocket): void; close(ws: LiveSocket): void };
  /** To be called once a second, whether somebody looks or not. */
  tick(): void;
  /** Closes them all, and opens none any more. */
  stop(): void;
}

const TOPIC = "live";
const SOCKETS_MAX = 100;
/** Some minutes of frames. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

export function createLiveFeed({
  figures,
  isAlive,
  channel,
  socketsMax = SOCKETS_MAX,
}: LiveFeedOptions): LiveFeed {
  const sockets = new Set<LiveSocket>();
  const frames = createFrames(figures);
  /** Of the frames that are being made the last; they go out in their order. */
  let publishing: Promise<void> | undefined;
  let stopped = false;

  /** Lets no frame between what it is told first and those that go to all. */
  async function greet(ws: LiveSocket): Promise<void> {
    await figures.prepare();
    while (publishing) await publishing;
    if (!sockets.has(ws)) return;
    const isAlone = channel().subscriberCount(TOPIC) === 0;
    ws.sendText(JSON.stringify(frames.first(isAlone)));
    ws.subscribe(TOPIC);
  }

  async function publish(sample: LiveSample, before: Promise<void> | undefined): Promise<void> {
    await before;
    await figures.prepare();
    channel().publish(TOPIC, JSON.stringify(frames.next(sample)));
  }

  function closeUnwanted(): void {
    for (const ws of sockets) {
      const { session } = ws.data;
      if (session && !isAlive(session)) close(ws, "session_ended");
      else if (ws.getBufferedAmount() > BUFFERED_BYTES_MAX) close(ws, "too_slow");
    }
  }

  return {
    upgrade(request, server, session) {
      if (stopped) throw new AppError("draining");
      if (sockets.size >= socketsMax) throw new AppError("live_full");
      const data: LiveSocketData = { protocol: "live", session };
      if (!server.upgrade(request, { data }))
        throw new AppError("upgrade_required", { hint: "The live view is a WebSocket." });
    },

    websocket: {
      open(ws) {
        sockets.add(ws);
        void greet(ws).catch(() => ws.close(1011));
      },
      message: (ws) => close(ws, "unasked"),
      close: (ws) => void sockets.delete(ws),
    },

    tick() {
      const sample = figures.closeSecond();
      closeUnwanted();
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

    stop() {
      stopped = true;
      for (const ws of [...sockets]) close(ws, "stopping");
    },
  };
}

function close(ws: LiveSocket, why: keyof typeof LIVE_CLOSE): void {
  ws.close(LIVE_CLOSE[why].code, LIVE_CLOSE[why].reason);
}

/** The frames in their order: each has what has come since the one before. */
function createFrames(figures: Figures) {
  let asksTold = 0;
  let modelsTold = "";
  return {
    /** For one who has just come: all up to the last of the others; `isAlone` where there are none. */
    first(isAlone: boolean): LiveFrame {
      const overview = figures.overview(asksTold);
      if (isAlone) modelsTold = JSON.stringify(overview.models);
      return { type: "overview", ...overview };
    },
    next(sample: LiveSample): LiveFrame {
      const models = figures.models();
      const asText = JSON.stringify(models);
      const asks = figures.asksAfter(asksTold);
      const isNews = asText !== modelsTold;
      modelsTold = asText;
      asksTold = figures.asksCount;
      return { type: "second", ...figures.pool(), ...(isNews && { models }), sample, asks };
    },
    skip() {
      asksTold = figures.asksCount;
    },
  };
}
