import type { LiveFrame } from "../api/types.ts";
import { type LiveOverview, takeFrame } from "./history.ts";
import { createStore, type Store } from "./store.ts";

export interface LiveState {
  /** `away` is while it tries again after it was lost; what is known of the pool stays. */
  status: "connecting" | "live" | "away";
  pool: LiveOverview | undefined;
}

interface LiveOptions {
  /** Opens a socket, tells what comes and that it has closed, and gives what closes it, after which it tells nothing. */
  open(on: { message(data: unknown): void; close(): void }): () => void;
  /** Calls back after so long; gives what prevents it. */
  after(delayMs: number, run: () => void): () => void;
  /** At least 0 and below 1. */
  random(): number;
  /** Called when the socket was lost: a browser does not say that it was refused for want of a session. */
  onLost(): void;
}

export interface Live {
  state: Store<LiveState>;
  /** Keeps the view open until what it gives is called; open once, however many watch. */
  watch(): () => void;
}

const DELAY_MIN_MS = 500;
const DELAY_MAX_MS = 15_000;

/** There is a frame each second, so a socket that has been silent for so long is dead. */
const SILENCE_MS = 15_000;

export function createLive({ open, after, random, onLost }: LiveOptions): Live {
  const state = createStore<LiveState>({ status: "connecting", pool: undefined });
  let watchers = 0;
  let tries = 0;
  let leave: (() => void) | undefined;

  function connect(): void {
    let cancelSilence = after(SILENCE_MS, lose);
    const close = open({ message: take, close: lose });
    const part = () => {
      cancelSilence();
      close();
    };
    function lose(): void {
      part();
      state.set({ ...state.get(), status: "away" });
      // Half of it by chance, so that not all pages come back in the same moment after a restart.
      const delayMs = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** tries++) * (0.5 + random() / 2);
      leave = after(delayMs, connect);
      onLost();
    }
    function take(data: unknown): void {
      const frame = readFrame(data);
      if (!frame) return;
      cancelSilence();
      cancelSilence = after(SILENCE_MS, lose);
      tries = 0;
      state.set({ status: "live", pool: takeFrame(state.get().pool, frame) });
    }
    leave = part;
  }

  return {
    state,
    watch() {
      if (watchers++ === 0) {
        tries = 0;
        state.set({ ...state.get(), status: "connecting" });
        connect();
      }
      return () => {
        if (--watchers > 0) return;
        leave?.();
        leave = undefined;
      };
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
