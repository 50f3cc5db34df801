import type { Server, ServerWebSocket } from "bun";
import type { Session } from "../../auth/sessions/sessions.ts";
import { AppError } from "../../errors.ts";
import type { ProblemAnswer } from "../alerts/schema.ts";
import type { NodeFigures } from "./nodes.ts";
import type { LiveOverview } from "./overview.ts";
import { createPublisher } from "./publisher.ts";
import { LIVE_CLOSE } from "./schema.ts";

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
  /** Returns what is wrong with all nodes. */
  problems: () => ProblemAnswer[];
  /** The figures of the other nodes of a cluster; undefined for a single server. */
  nodes?: NodeFigures | undefined;
  /** Returns the server, which is made after the feed. It publishes to the sockets that subscribe to a topic. */
  channel: () => { publish(topic: string, text: string): unknown; subscriberCount(topic: string): number };
}

const TOPIC = "live";
const SOCKETS_MAX = 100;
/** Enough for some minutes of frames. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

export type LiveFeed = ReturnType<typeof createLiveFeed>;

/** The live views: sockets of administrators that are sent a frame each second. */
export function createLiveFeed({ overview, problems, nodes, endedOf, channel }: LiveFeedOptions) {
  const sockets = new Set<LiveSocket>();
  const publisher = createPublisher({
    ...{ overview, nodes, problems },
    isViewed: () => channel().subscriberCount(TOPIC) > 0,
    publish: (frame) => void channel().publish(TOPIC, JSON.stringify(frame)),
  });
  let stopped = false;
  let isChecking = false;

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
        const greeted = publisher.greet((frame) => {
          if (!sockets.has(ws)) return;
          ws.sendText(JSON.stringify(frame));
          ws.subscribe(TOPIC);
        });
        void greeted.catch(() => ws.close(1011));
      },
      message: (ws: LiveSocket) => close(ws, "unasked"),
      close: (ws: LiveSocket) => void sockets.delete(ws),
    },

    /** Call it once a second, whether there is a live view or not. */
    tick(): void {
      const sample = overview.closeSecond();
      closeSlow();
      void checkSessions();
      if (sample) publisher.next(sample);
    },

    /** Closes the live views of sessions that have ended, which are named by the hashes of their cookies. */
    endSessions: (hashes: readonly string[]) => endSessions(new Set(hashes)),

    /** Closes the live views of all sessions that have ended. Runs once a second by itself. */
    checkSessions: () => void checkSessions(),

    read: publisher.read,
    readForNodes: publisher.readForNodes,

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
