import type { Log } from "../log/log.ts";
import { createBackOff } from "./back-off.ts";
import type { Cancel, Clock } from "./clock.ts";
import type { Inquiry, Offer, Upstream } from "./upstream.ts";

export interface WatchOptions {
  upstream: Upstream;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  log: Log;
  /** Takes a line for people. */
  tell: (line: string) => void;
  /** The offer is another one than before; it has no models while the upstream is down. */
  onChange: (offer: Offer) => void;
}

export interface Watch {
  /** What the upstream has; undefined until it was there for the first time. */
  offer(): Offer | undefined;
  /** Something went wrong with a request: looks at once whether the upstream is still there. */
  check(): void;
  stop(): void;
}

const REFRESH_MS = 60_000;
/** A slow or stumbling upstream is asked again before it counts as gone. */
const TROUBLES_MAX = 2;

/** Asks an upstream what it has, now, every minute, and with a growing pause while it does not answer. */
export function watchUpstream({ upstream, clock, random, log, tell, onChange }: WatchOptions): Watch {
  const backOff = createBackOff(random);
  const stopping = new AbortController();
  let cancel: Cancel = () => {};
  let asking = false;
  let offer: Offer | undefined;
  let troubles = 0;
  let said = "";

  const change = (next: Offer) => {
    if (offer && JSON.stringify(next) === JSON.stringify(offer)) return;
    offer = next;
    onChange(next);
  };

  const up = (next: Offer) => {
    if (said) tell(`${upstream.shown} is there`);
    if (!offer || said) log.info("upstream_up", { upstream: upstream.shown, models: next.models.length });
    said = "";
    troubles = 0;
    backOff.reset();
    change(next);
  };

  const down = ({ trouble, unreachable }: Exclude<Inquiry, { offer: Offer }>) => {
    troubles++;
    if (offer && !unreachable && troubles < TROUBLES_MAX) return;
    if (said !== trouble) {
      tell(`${upstream.shown} is not ready: ${trouble}; trying again until it is`);
      log.warn("upstream_down", { upstream: upstream.shown, reason: trouble });
    }
    said = trouble;
    if (offer) change({ ...offer, models: [] });
  };

  const ask = async () => {
    cancel();
    if (asking || stopping.signal.aborted) return;
    asking = true;
    const inquiry = await upstream.inquire(stopping.signal);
    asking = false;
    if (stopping.signal.aborted) return;
    if ("offer" in inquiry) up(inquiry.offer);
    else down(inquiry);
    cancel = clock.after("offer" in inquiry ? REFRESH_MS : backOff.next(), () => void ask());
  };

  void ask();
  return {
    offer: () => offer,
    check: () => void ask(),
    stop() {
      cancel();
      stopping.abort();
    },
  };
}
