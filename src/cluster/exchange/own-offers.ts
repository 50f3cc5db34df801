import type { Cancel, Clock } from "../../clock.ts";
import { MODELS_MAX, type Model } from "../../protocol/agent-v2.ts";
import { hasByteAnswer } from "../../protocol/endpoints.ts";
import { detailsOf } from "../../protocol/model-details.ts";
import type { FrameOf, NodeOffers } from "../../protocol/node/frames.ts";
import type { Agent } from "../../relay/agent.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { Offer, Preference } from "../../relay/types.ts";
import type { Link } from "../part.ts";

interface OwnOffersOptions {
  link: Pick<Link, "self" | "nodes" | "send" | "sendAll">;
  clock: Clock;
  soon: Soon;
  /** How many asks of this node wait. */
  waiting: () => number;
}

/** Changes within this time are sent together. */
const EVERY_MS = 20;

/** The agents and the groups that are looked at in one turn of the event loop: about a millisecond. */
const TURN_MAX = 500;

/** The models in one frame, about 400 KB if their details are known. */
const FRAME_MODELS_MAX = 2_000;

/** Agents that can do the same. */
interface Group
  extends Pick<NodeOffers, "protocol" | "models" | "endpoints" | "raw_endpoints" | "tags" | "priority"> {
  key: string;
  signature: string;
  slots: number;
  free: number;
  agents: number;
}

/** An agent as it is counted. */
interface Counted {
  group: Group;
  slots: number;
  free: number;
  /** The parts of the agent by which its group was found. */
  offer: Offer;
  preference: Preference;
  blocked: string;
}

/**
 * Tells the other nodes what the agents of this node could do, equal ones grouped. An event costs constant time, however
 * many agents there are. Groups and their changes go to each node alone, as only those frames have an order; the numbers
 * of free slots go to all, as they need not be exact.
 */
export class OwnOffers {
  readonly #agents = new Map<Agent, Counted>();
  readonly #byId = new Map<string, Agent>();
  readonly #groups = new Map<string, Group>();
  /** The agents that have changed; whether they are still connected. */
  readonly #changed = new Map<Agent, boolean>();
  /** The groups that have changed, and those of them of which only the free slots have. */
  readonly #dirty = new Set<Group>();
  readonly #freed = new Set<Group>();
  /** The keys of groups that have gone. */
  readonly #gone = new Set<string>();
  /** The groups that nodes which have joined are still to be sent. */
  readonly #unsent = new Map<string, Group[]>();
  readonly #flushSoon: () => void;
  #keys = 0;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #stopTimer: Cancel | undefined;

  constructor(private readonly options: OwnOffersOptions) {
    this.#flushSoon = coalesce(options.soon, () => this.#flush());
  }

  /** An agent of this node has come, changed, taken or freed a slot; or it has left. */
  changed(agent: Agent, isHere: boolean): void {
    this.#changed.set(agent, isHere);
    this.#schedule();
  }

  join(nodeId: string): void {
    // First of all, so that the changes that follow are not void.
    this.options.link.send(nodeId, { ...this.#frame([], []), all: true });
    this.#unsent.set(nodeId, [...this.#groups.values()]);
    this.#flushSoon();
  }

  /** Whether some of the groups are still to be sent to a node that has joined. */
  isTelling(nodeId: string): boolean {
    return this.#unsent.has(nodeId);
  }

  lose(nodeId: string): void {
    this.#unsent.delete(nodeId);
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Returns the key of the group of the agent with this id. */
  keyOf(agentId: string): string | undefined {
    const agent = this.#byId.get(agentId);
    return agent && this.#agents.get(agent)?.group.key;
  }

  #schedule(): void {
    if (this.#stopTimer) return;
    const { clock } = this.options;
    const waitMs = this.#flushedAt + EVERY_MS - clock.now();
    if (waitMs <= 0) {
      this.#flushSoon();
      return;
    }
    this.#stopTimer = clock.after(waitMs, () => {
      this.#stopTimer = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushedAt = this.options.clock.now();
    let left = TURN_MAX;
    for (const [agent, isHere] of this.#changed) {
      if (left-- === 0) break;
      this.#changed.delete(agent);
      this.#count(agent, isHere);
    }
    this.#tell();
    if (this.#changed.size > 0 || this.#unsent.size > 0) this.#flushSoon();
  }

  #count(agent: Agent, isHere: boolean): void {
    const before = this.#agents.get(agent);
    const now = isHere ? this.#counted(agent, before) : undefined;
    if (before && before.group === now?.group && before.slots === now.slots) {
      if (before.free === now.free) return;
      now.group.free += now.free - before.free;
      this.#freed.add(now.group);
    } else {
      if (now) this.#add(now, 1);
      if (before) this.#add(before, -1);
    }
    if (now) {
      this.#agents.set(agent, now);
      this.#byId.set(agent.id, agent);
      return;
    }
    this.#agents.delete(agent);
    if (this.#byId.get(agent.id) === agent) this.#byId.delete(agent.id);
  }

  #counted(agent: Agent, before: Counted | undefined): Counted {
    const { offer, preference } = agent;
    const blocked = blockedModels(agent, this.options.clock.now());
    const free = agent.takesWork ? Math.max(offer.slots - agent.inUse.size, 0) : 0;
    const isSame =
      before && before.offer === offer && before.preference === preference && before.blocked === blocked;
    const group = isSame ? before.group : this.#groupOf(agent, blocked);
    return { group, slots: offer.slots, free, offer, preference, blocked };
  }

  #groupOf(agent: Agent, blocked: string): Group {
    const { protocol } = agent.profile;
    const { priority } = agent.preference;
    const names = blocked === "" ? [] : blocked.split("\n");
    const models = agent.offer.models.filter(({ id }) => !names.includes(id)).slice(0, MODELS_MAX);
    const { endpoints: all } = agent.offer;
    const endpoints = all.filter((endpoint) => !hasByteAnswer(endpoint));
    const inBytes = all.filter(hasByteAnswer);
    const tags = [...agent.preference.tags].sort();
    const shape = {
      ...{ protocol, models: models.map(withoutLoaded), endpoints, tags, priority },
      ...(inBytes.length > 0 && { raw_endpoints: inBytes }),
    };
    const signature = JSON.stringify(shape);
    return this.#groups.getOrInsertComputed(signature, () => {
      const key = `${++this.#keys}`;
      return { ...shape, key, signature, slots: 0, free: 0, agents: 0 };
    });
  }

  #add({ group, slots, free }: Counted, sign: 1 | -1): void {
    group.slots += sign * slots;
    group.free += sign * free;
    group.agents += sign;
    this.#freed.delete(group);
    this.#dirty.add(group);
    if (group.agents > 0) return;
    this.#dirty.delete(group);
    this.#groups.delete(group.signature);
    this.#gone.add(group.key);
  }

  /** Sends what has changed, and a part of what new nodes do not know yet. */
  #tell(): void {
    const { link } = this.options;
    const dirty = [...this.#dirty];
    const gone = [...this.#gone];
    const free = [...this.#freed].map(({ key, free: count }): [string, number] => [key, count]);
    this.#dirty.clear();
    this.#gone.clear();
    this.#freed.clear();
    for (const frame of this.#frames(dirty, gone))
      for (const nodeId of link.nodes.keys()) link.send(nodeId, frame);
    if (free.length > 0 && link.nodes.size > 0)
      link.sendAll({ kind: "free", free: Object.fromEntries(free) });
    for (const [nodeId, groups] of this.#unsent) {
      const part = groups.splice(-TURN_MAX).filter((group) => this.#groups.get(group.signature) === group);
      for (const frame of this.#frames(part, [])) link.send(nodeId, frame);
      if (groups.length === 0) this.#unsent.delete(nodeId);
    }
  }

  /** Yields frames of bounded size with these groups. */
  *#frames(groups: readonly Group[], gone: readonly string[]): Generator<FrameOf<"state">> {
    let part: Group[] = [];
    let models = 0;
    for (const group of groups) {
      models += group.models.length;
      if (models > FRAME_MODELS_MAX && part.length > 0) {
        yield this.#frame(part, []);
        part = [];
        models = group.models.length;
      }
      part.push(group);
    }
    if (part.length > 0 || gone.length > 0) yield this.#frame(part, gone);
  }

  #frame(groups: readonly Group[], gone: readonly string[]): FrameOf<"state"> {
    const { link, waiting } = this.options;
    const offers = groups.map(({ signature: _, ...offer }) => offer);
    return {
      ...{ kind: "state", offers, waiting: waiting(), draining: link.self.draining },
      ...(gone.length > 0 && { gone: [...gone] }),
    };
  }
}

const withoutLoaded = ({ id, owned_by, context_length, ...details }: Model): Model => ({
  id,
  ...(owned_by !== undefined && { owned_by }),
  ...(context_length !== undefined && { context_length }),
  ...detailsOf(details),
});

/** Returns the names of the models for which the agent gets no asks, as it failed too often; nearly always none. */
function blockedModels({ circuits }: Agent, now: number): string {
  if (!circuits) return "";
  return [...circuits].flatMap(([model, circuit]) => (circuit.isBlockedAt(now) ? [model] : [])).join("\n");
}
