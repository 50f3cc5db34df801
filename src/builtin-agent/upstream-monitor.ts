import type { Cancel, Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";
import { BackOff } from "./back-off.ts";
import { withLoaded } from "./models/loaded-models.ts";
import type { Offer, UnlistedModels, Upstream, UpstreamProblem } from "./upstream.ts";

export interface UpstreamMonitorOptions {
  upstream: Upstream;
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
  log: Log;
  /** Called when the offer has changed. The offer has no models while the upstream is down. */
  onChange: () => void;
}

const CHECK_EVERY_MS = 60_000;
/** An upstream that is slow or fails once is checked again before it counts as down. */
const PROBLEMS_MAX = 2;
/** A first check that takes longer is mentioned, so that nobody waits without knowing for what. */
const SLOW_MS = 5_000;
const NAMES_MAX = 5;

/** Checks an upstream now, then every minute, and with growing pauses while it is down. */
export function monitorUpstream({ upstream, clock, random, log, onChange }: UpstreamMonitorOptions) {
  const backOff = new BackOff(random);
  const stopping = new AbortController();
  const notices = createNotices(upstream.label, log);
  let cancelNext: Cancel = () => {};
  let isChecking = false;
  /** How many checks and looks have begun, as the answer of an older one counts no more. */
  let begun = 0;
  let offer: Offer | undefined;
  let problems = 0;
  let toldProblem = "";

  const change = (next: Offer) => {
    if (offer && JSON.stringify(next) === JSON.stringify(offer)) return;
    offer = next;
    onChange();
  };

  const up = (next: Offer) => {
    if (!offer || toldProblem) {
      const fields = { upstream: upstream.label, models: next.models.length };
      log.info("upstream_up", fields, toldProblem ? `${upstream.label} is available again` : undefined);
    }
    toldProblem = "";
    problems = 0;
    backOff.reset();
    change(next);
  };

  const down = ({ problem, unreachable }: UpstreamProblem) => {
    problems++;
    if (offer && !unreachable && problems < PROBLEMS_MAX) return;
    if (toldProblem !== problem) {
      const words = `${upstream.label} is not available: ${problem}; retrying until it is`;
      log.warn("upstream_down", { upstream: upstream.label, reason: problem }, words);
    }
    toldProblem = problem;
    if (offer) change({ ...offer, models: [] });
  };

  const check = async () => {
    cancelNext();
    if (isChecking || stopping.signal.aborted) return;
    isChecking = true;
    begun++;
    const endWait = offer || toldProblem ? () => {} : clock.after(SLOW_MS, notices.slow);
    const status = await upstream.check(stopping.signal);
    endWait();
    isChecking = false;
    if (stopping.signal.aborted) return;
    if ("offer" in status) up(status.offer);
    else down(status);
    if ("offer" in status && status.unlisted) notices.unlisted(status.unlisted);
    cancelNext = clock.after("offer" in status ? CHECK_EVERY_MS : backOff.next(), () => void check());
  };

  const lookAtLoaded = async () => {
    if (isChecking || stopping.signal.aborted || !upstream.loaded) return;
    const look = ++begun;
    const loaded = await upstream.loaded(stopping.signal);
    if (look !== begun || !offer || stopping.signal.aborted) return;
    change({ ...offer, models: withLoaded(offer.models, loaded) });
  };

  void check();
  return {
    /** Returns what the upstream offers; undefined until the upstream has been up once. */
    offer: () => offer,
    /** Checks the upstream now, because a request went wrong. */
    check: () => void check(),
    /** Asks the upstream which models it has in memory, without a check of the rest. Never rejects. */
    lookAtLoaded,
    stop(): void {
      cancelNext();
      stopping.abort();
    },
  };
}

/** Logs what an operator should know of an upstream that works. */
function createNotices(label: string, log: Log) {
  let toldUnlisted = "";
  return {
    slow(): void {
      const words = `waiting for ${label} to list its models, for up to a minute`;
      log.info("upstream_slow", { upstream: label }, words);
    },
    unlisted({ models, listed }: UnlistedModels): void {
      const names = models.join(", ");
      if (toldUnlisted === names) return;
      toldUnlisted = names;
      const words = `${label} does not list ${names}; requests for it may fail. It lists ${firstNames(listed)}`;
      log.warn("models_unlisted", { upstream: label, models: names }, words);
    },
  };
}

/** Returns the names as a list for people, which ends in an ellipsis if there are too many. */
export function firstNames(names: readonly string[]): string {
  return names.slice(0, NAMES_MAX).join(", ") + (names.length > NAMES_MAX ? ", …" : "");
}
