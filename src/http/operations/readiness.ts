import type { Relay } from "../../relay/relay.ts";

/** The part of the certificate's state that decides. */
export interface CertificateState {
  /** Milliseconds since 1970. */
  expiresAt: number;
  renewal: { failure: string | undefined } | undefined;
}

export interface ReadinessOptions {
  relay: Relay;
  /** Rejects when nothing can be written. */
  checkStore(): Promise<void>;
  /** Returns how many agents are connected to other nodes. Default: none. */
  agentsElsewhere?: (() => number) | undefined;
  /** Returns how many asks may wait. */
  queueMax: () => number;
  /** How long requests of known users are served while the store fails. Default: not at all. */
  storeGraceMs?: number;
  /** Whether the way to the other nodes is away. Undefined without any. */
  isNatsAway?: (() => boolean) | undefined;
  /** Whether this node has just started, and may not know all agents of the others. Undefined without any. */
  isLearning?: (() => boolean) | undefined;
  /** Returns what is known of the server's certificate; undefined for a server without TLS. */
  certificate?: () => CertificateState | undefined;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The parts that may fail while requests are served. */
export const FALLIBLE_PARTS = ["store", "nats", "certificate"] as const;

export interface ReadyState {
  /** The reasons, in words, why requests cannot be served now. Empty if they can. */
  reasons: string[];
  /** Those that fail. */
  degraded: (typeof FALLIBLE_PARTS)[number][];
}

/** The reason, in words, when nothing can be written. */
export const STORE_REASON = "the database cannot be written";

export type Readiness = (agentsMin: number) => Promise<ReadyState>;

/** The result of a check is kept this long, so that frequent requests do not keep the disk busy. */
const CHECKED_MS = 1_000;
const STORE_LIMIT_MS = 2_000;

export function createReadiness(options: ReadinessOptions): Readiness {
  const { relay, checkStore, queueMax, storeGraceMs = 0, now } = options;
  const { agentsElsewhere = () => 0, isNatsAway = () => false, isLearning = () => false } = options;
  const { certificate: certificateOf = () => undefined } = options;
  let failsSince: number | undefined;
  let checked: { at: number; works: Promise<boolean> } | undefined;
  const storeWorks = () => {
    if (!checked || now() - checked.at >= CHECKED_MS) checked = { at: now(), works: worksInTime(checkStore) };
    return checked.works;
  };
  return async (agentsMin) => {
    const works = await storeWorks();
    failsSince = works ? undefined : (failsSince ?? now());
    // One fault of a shared database would otherwise take every server out of the load balancer at once.
    const isDegraded = failsSince !== undefined && now() - failsSince < storeGraceMs;
    const certificate = stateOf(certificateOf(), now());
    const available = relay.capacity().available + agentsElsewhere();
    const checks: [isFine: boolean, reason: string][] = [
      [works || isDegraded, STORE_REASON],
      [!relay.isStopping, "the server is shutting down"],
      [!isLearning(), "the agents of the other nodes are not known yet"],
      [available >= agentsMin, missing(agentsMin)],
      [!certificate.isExpired, "the certificate has expired"],
      [relay.stats().asks_waiting < queueMax(), "the queue is full"],
    ];
    const reasons = checks.flatMap(([isFine, reason]) => (isFine ? [] : reason));
    const fails = {
      store: isDegraded,
      nats: isNatsAway(),
      certificate: certificate.isFailing,
    };
    const degraded = FALLIBLE_PARTS.filter((part) => fails[part]);
    return { reasons, degraded };
  };
}

function stateOf(certificate: CertificateState | undefined, now: number) {
  return {
    isExpired: certificate !== undefined && certificate.expiresAt <= now,
    isFailing: certificate?.renewal?.failure !== undefined,
  };
}

function missing(agentsMin: number): string {
  return agentsMin === 1 ? "no agent accepts requests" : `fewer than ${agentsMin} agents accept requests`;
}

async function worksInTime(check: () => Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const limit = setTimeout(() => resolve(false), STORE_LIMIT_MS);
  const works = check().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([works, late]);
  } finally {
    clearTimeout(limit);
  }
}
