import { Directory } from "../../../src/cluster/agents/directory.ts";
import { Exchange } from "../../../src/cluster/exchange/exchange.ts";
import type { Link } from "../../../src/cluster/part.ts";
import type { AppError } from "../../../src/errors.ts";
import { principalOf } from "../../../src/principal.ts";
import type { NodeFrame, NodeFrameKind } from "../../../src/protocol/node/frames.ts";
import type { Ticket } from "../../../src/relay/peers.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import { Relay } from "../../../src/relay/relay.ts";
import type { AskRequest, RelayLimits } from "../../../src/relay/types.ts";
import { createFakeClock } from "../../support/clock.ts";
import { LIMITS, settle } from "../../support/relay.ts";
import { createMemoryCluster } from "../memory-link.ts";

export type ExchangeNode = ReturnType<ReturnType<typeof createExchangeScene>["add"]>;

/** Nodes with real relays and exchanges, linked within this process, on a fake clock. */
export function createExchangeScene({
  delayMs = () => 1,
  limits = {},
  random = () => 0.5,
}: {
  delayMs?: () => number;
  limits?: Partial<RelayLimits>;
  random?: () => number;
} = {}) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock, delayMs);
  const soon = (run: () => void) => void clock.after(0, run);
  let ids = 0;

  /** Adds a node, which the others meet at once. */
  function add(name: string) {
    const sent: { to: string; frame: NodeFrame }[] = [];
    /** Whether the link does not take a frame, as too much waits. */
    const full = { refuses: (_frame: NodeFrame): boolean => false };
    const records: AskRecord[] = [];
    const all = { ...LIMITS, ...limits };
    const parts: { relay?: Relay; exchange?: Exchange; directory?: Directory } = {};
    const link = cluster.add(name, (memory) => {
      const note = (to: string, frame: NodeFrame) => {
        sent.push({ to, frame });
        return memory.send(to, frame);
      };
      const noting: Link = {
        ...memory,
        send: (to, frame) => (full.refuses(frame) ? false : note(to, frame)),
        sendAll: (frame) => {
          sent.push({ to: "all", frame });
          memory.sendAll(frame);
        },
      };
      const directory = new Directory({
        link: noting,
        clock,
        soon,
        replaced: (id) => parts.relay?.disconnect(id, { drain: false }),
      });
      const exchange = new Exchange({
        ...{ link: noting, clock, soon, directory, reconnectGraceMs: all.reconnectGraceMs },
        relay: () => parts.relay as Relay,
      });
      const relay = new Relay({
        ...{ clock, random, soon, limits: all, peers: exchange },
        newId: () => `${name}-${++ids}`,
        observe: { ...directory.observer, ended: (record) => void records.push(record) },
      });
      Object.assign(parts, { relay, exchange, directory });
      return [directory, exchange];
    });
    const { relay, exchange, directory } = parts as Required<typeof parts>;
    const frames = <Kind extends NodeFrameKind>(kind: Kind) =>
      sent.flatMap(({ to, frame }) =>
        frame.kind === kind ? [{ to, ...(frame as Extract<NodeFrame, { kind: Kind }>) }] : [],
      );
    const ask = (content: string, options?: AskOptions) => askAt(relay, content, options);
    return { full, name, link, relay, exchange, directory, records, sent, frames, ask };
  }

  /** Lets time pass in small steps, so that promises are settled in between. */
  const pass = async (ms: number, stepMs = 1) => {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.advance(Math.min(left, stepMs));
      await settle();
    }
  };
  return { clock, cluster, add, pass };
}

interface AskOptions extends Partial<Pick<AskRequest, "pin" | "prefer" | "tags" | "work">> {
  user?: string;
  signal?: AbortSignal;
  /** Without one it is for v1 agents. */
  model?: string;
}

/** Asks for a streamed answer, and returns what the caller gets. */
function askAt(relay: Relay, content: string, { user = "ann", signal, model, ...own }: AskOptions = {}) {
  const deltas: string[] = [];
  const request = { endpoint: "chat/completions", stream: true, body: () => content } as const;
  const v1 = { message_id: "", conversation_id: "", parent_id: "", content };
  const result = relay.ask(
    {
      principal: principalOf(user),
      origin: { requestId: content, surface: "test" },
      work: model === undefined ? { v1 } : { model, requests: [request] },
      onDelta: ({ data }) => void deltas.push(data),
      ...own,
    },
    signal ?? new AbortController().signal,
  );
  const outcome = result.then(
    ({ answer }) => (answer.kind === "v1" ? answer.answer.content : `${answer.status}`),
    ({ code }: AppError) => code,
  );
  return { result, outcome, deltas };
}

let tickets = 0;

/** Returns a ticket for a streamed chat completion with the model `m`. */
export function ticket(own: Partial<Ticket> = {}): Ticket {
  return {
    ...{ id: `ticket-${++tickets}`, principal: principalOf("ann"), priority: "normal", waitedMs: 0 },
    ...{ model: "m", isForV1: false, requests: [{ endpoint: "chat/completions", stream: true }] },
    ...{ tried: [], isRepeatable: true },
    ...own,
  };
}
