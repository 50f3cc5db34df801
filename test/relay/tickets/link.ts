import type { Clock } from "../../../src/clock.ts";

/** The way from one node to another: what is sent arrives in order, until the link breaks. */
export interface Link {
  /** Whether the sender has not learned yet that the link is broken. */
  isUp: boolean;
  send(deliver: () => void): void;
  /** Loses what is on its way, and what is sent from now on. */
  cut(): void;
}

export function createLink(clock: Clock, delayMs: () => number): Link {
  let lastAt = 0;
  let isCut = false;
  const link: Link = {
    isUp: true,
    send(deliver) {
      if (isCut || !link.isUp) return;
      const at = Math.max(clock.now() + delayMs(), lastAt);
      lastAt = at;
      clock.after(at - clock.now(), () => {
        if (!isCut) deliver();
      });
    },
    cut() {
      isCut = true;
    },
  };
  return link;
}
