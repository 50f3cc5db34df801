import type { Clock } from "../../src/clock.ts";
import type { Random } from "../support/random.ts";
import { exponential } from "./chance.ts";
import type { Fault } from "./pool.ts";

/** Calls `onBegin` and `onEnd` in turns whenever a fault begins and ends. */
export function playFault(
  fault: Fault,
  { clock, random }: { clock: Clock; random: Random },
  onBegin: () => void,
  onEnd: () => void,
): void {
  const { fromMs, untilMs = Number.POSITIVE_INFINITY, everyMs, forMs } = fault;
  const endsAt = clock.now() + untilMs;
  const begin = () => {
    const leftMs = endsAt - clock.now();
    if (leftMs <= 0) return;
    onBegin();
    const lastsMs = Math.min(forMs === undefined ? leftMs : exponential(random, forMs), leftMs);
    if (lastsMs === Number.POSITIVE_INFINITY) return;
    clock.after(lastsMs, () => {
      onEnd();
      rest();
    });
  };
  const rest = () => everyMs !== undefined && clock.after(exponential(random, everyMs), begin);
  clock.after(fromMs, everyMs === undefined ? begin : () => void rest());
}
