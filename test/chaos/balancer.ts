import type { BalancerProcess } from "../support/balancer-process.ts";
import type { Sending } from "./logs.ts";
import type { NodeProcess } from "./node-process.ts";

/** An address to which requests and agents go. */
export interface Place {
  name: string;
  url: string;
}

export interface Balancer {
  /** Returns where the next agent connects. */
  next(): Place;
  /**
   * Sends a request, and notes each sending. Resolves with the response, or with undefined if none came: the
   * connection broke, or the request was given up.
   */
  send(init: RequestInit, sendings: Sending[], now: () => number): Promise<Response | undefined>;
  stop(): void | Promise<void>;
}

const CHECK_EVERY_MS = 500;
const CHECK_WITHIN_MS = 1_500;
const SENDINGS_MAX = 3;

/** Sends everything to a load balancer in a process of its own, which sends requests again by itself. */
export function throughProcess(name: string, { url, stop }: BalancerProcess): Balancer {
  const place = { name, url };
  return {
    next: () => place,
    async send(init, sendings, now) {
      const sending: Sending = { node: name, at: now(), outcome: "lost" };
      sendings.push(sending);
      return sendTo(place, init, sending);
    },
    stop,
  };
}

/**
 * Chooses nodes as a load balancer does: in turn, without those whose health check fails, and once more for a
 * request whose node is lost or refuses it before anything has come.
 */
export class OwnBalancer implements Balancer {
  readonly #nodes: readonly NodeProcess[];
  readonly #isUp = new Map<Place, boolean>();
  readonly #stop = new AbortController();
  #turn = 0;

  constructor(nodes: readonly NodeProcess[]) {
    this.#nodes = nodes;
    for (const node of nodes) void this.#watch(node);
  }

  /** Returns the next node, one that is up if there is any, and not one of these if there are others. */
  next(except: readonly Place[] = []): Place {
    const count = this.#nodes.length;
    const inTurn = Array.from({ length: count }, (_, index) => this.#nodes[(this.#turn + index) % count]);
    this.#turn = (this.#turn + 1) % count;
    const others = inTurn.filter((node) => node !== undefined && !except.includes(node));
    const chosen = others.find((node) => node && this.#isUp.get(node) !== false) ?? others[0] ?? inTurn[0];
    if (!chosen) throw new Error("There is no node.");
    return chosen;
  }

  async send(init: RequestInit, sendings: Sending[], now: () => number): Promise<Response | undefined> {
    const tried: Place[] = [];
    let refused: Response | undefined;
    while (tried.length < SENDINGS_MAX && !init.signal?.aborted) {
      const node = this.next(tried);
      tried.push(node);
      const sending: Sending = { node: node.name, at: now(), outcome: "lost" };
      sendings.push(sending);
      const response = await sendTo(node, init, sending);
      if (response && response.status !== 503) return response;
      refused = response ?? refused;
    }
    return refused;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(node: NodeProcess): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isUp.set(node, await node.isReady(CHECK_WITHIN_MS));
      await Bun.sleep(CHECK_EVERY_MS);
    }
  }
}

async function sendTo({ url }: Place, init: RequestInit, sending: Sending): Promise<Response | undefined> {
  try {
    const response = await fetch(`${url}/v1/chat/completions`, { ...init, keepalive: false });
    sending.outcome = response.status === 503 ? "refused" : "answered";
    return response;
  } catch {
    return undefined;
  }
}
