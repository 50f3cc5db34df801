import type { LiveFrame, Overview } from "../api/types.ts";
import { fromOverview, type LiveOverview, takeFrame } from "./history.ts";
import { createStore, type Store } from "./store.ts";

export interface LiveState {
  /** `reconnecting` means that the socket was lost. The overview then keeps its last state. */
  status: "connecting" | "live" | "reconnecting";
  overview: LiveOverview | undefined;
}

interface LiveOptions {
  /** Opens a socket and reports its messages and its end. Returns a function that closes it silently. */
  open(on: { message(data: unknown): void; close(): void }): () => void;
  /** Calls `run` after a delay. Returns a function that cancels the call. */
  after(delayMs: number, run: () => void): () => void;
  /** Returns a random number: at least 0 and below 1. */
  random(): number;
  /** Called when the socket is lost. A browser does not tell whether a missing session was the reason. */
  onLost(): void;
}

export interface Live {
  state: Store<LiveState>;
  /** Keeps the socket open until the returned function is called. All watchers share one socket. */
  watch(): () => void;
  /** Shows what was loaded in another way, unless a frame came before. The status stays. */
  show(overview: Overview): void;
}

const DELAY_MIN_MS = 500;
const DELAY_MAX_MS = 15_000;

/** The server sends a frame each second, so a socket that is silent for this long is dead. */
const SILENCE_MS = 15_000;

export function createLive({ open, after, random, onLost }: LiveOptions): Live {
  const state = createStore<LiveState>({ status: "connecting", overview: undefined });
  let watchers = 0;
  let attempts = 0;
  let stop: (() => void) | undefined;

  function connect(): void {
    let cancelSilence = after(SILENCE_MS, reconnect);
    const close = open({ message: receive, close: reconnect });
    const disconnect = () => {
      cancelSilence();
      close();
    };
    function reconnect(): void {
      disconnect();
      state.set({ ...state.get(), status: "reconnecting" });
      // Half of the delay is random, so that pages do not all reconnect at the same moment after a restart.
      const delayMs = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** attempts++) * (0.5 + random() / 2);
      stop = after(delayMs, connect);
      onLost();
    }
    function receive(data: unknown): void {
      const frame = readFrame(data);
      if (!frame) return;
      cancelSilence();
      cancelSilence = after(SILENCE_MS, reconnect);
      attempts = 0;
      state.set({ status: "live", overview: takeFrame(state.get().overview, frame) });
    }
    stop = disconnect;
  }

  return {
    state,
    watch() {
      if (watchers++ === 0) {
        attempts = 0;
        state.set({ ...state.get(), status: "connecting" });
        connect();
      }
      return () => {
        if (--watchers > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    show(overview) {
      const before = state.get();
      if (!before.overview) state.set({ ...before, overview: fromOverview(overview) });
    },
  };
}

function readFrame(data: unknown): LiveFrame | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frame = JSON.parse(data) as LiveFrame;
    return frame.type === "overview" || frame.type === "second" ? frame : undefined;
  } catch {
    return undefined;
  }
}
