import type { Clock } from "../../clock.ts";
import type { Endpoint, Model } from "../../protocol/agent-v2.ts";
import { GROUPS_MAX } from "../../protocol/node/bounds.ts";
import type { FrameOf, NodeOffers } from "../../protocol/node/frames.ts";
import type { OfferedModel } from "../../relay/offers/offered-model.ts";
import type { Ticket } from "../../relay/peers.ts";
import type { Work } from "../../relay/types.ts";

/** Agents of another node that can do the same. */
export interface PeerGroup {
  nodeId: string;
  key: string;
  isV1: boolean;
  models: ReadonlyMap<string, Model>;
  endpoints: ReadonlySet<Endpoint>;
  tags: ReadonlySet<string>;
  slots: number;
  free: number;
  agents: number;
  /** When the node told of it first, in milliseconds since 1970. */
  since: number;
}

/** The work that an agent must be able to do. */
type Wanted = Pick<Ticket, "model" | "models" | "tags" | "isForV1" | "requests">;

/** The room of a node for an ask. */
interface NodeRoom {
  nodeId: string;
  slots: number;
  free: number;
  group: PeerGroup | undefined;
}

/** How many groups of a node are looked at to find out where there is room. */
const LOOKED_AT_MAX = 64;

/** The models of all groups of one node. More are ignored: they take about 100 MB. */
const MODELS_MAX = 500_000;

/** The groups that have gone lately. Asks that no group could serve walk through all. */
const GONE_MAX = 1_000;

/** Knows the work that the agents of the other nodes could do, as those nodes say. */
export class PeerOffers {
  readonly #nodes = new Map<string, { groups: Map<string, PeerGroup>; models: number }>();
  /** The groups by their models, then by their nodes. */
  readonly #byModel = new Map<string, Map<string, Set<PeerGroup>>>();
  /** Groups that have gone, whose agents may come back, with the time. The oldest first. */
  readonly #gone: { group: PeerGroup; at: number }[] = [];

  constructor(private readonly options: { clock: Pick<Clock, "now">; reconnectGraceMs: number }) {}

  join(nodeId: string): void {
    this.#nodes.set(nodeId, { groups: new Map(), models: 0 });
  }

  /** The node is lost. */
  lose(nodeId: string): void {
    for (const group of this.groupsOf(nodeId)) this.#remove(group);
    this.#nodes.delete(nodeId);
  }

  groupsOf(nodeId: string): PeerGroup[] {
    return [...(this.#nodes.get(nodeId)?.groups.values() ?? [])];
  }

  groupOf(nodeId: string, key: string): PeerGroup | undefined {
    return this.#nodes.get(nodeId)?.groups.get(key);
  }

  /** Takes what a node says of its groups. Returns those that are new, or have more agents. */
  state(nodeId: string, { all = false, offers, gone = [] }: FrameOf<"state">): PeerGroup[] {
    if (!this.#nodes.has(nodeId)) return [];
    if (all) for (const group of this.groupsOf(nodeId)) this.#remove(group);
    for (const key of gone) {
      const group = this.groupOf(nodeId, key);
      if (group) this.#remove(group);
    }
    return offers.flatMap((offer) => this.#set(nodeId, offer) ?? []);
  }

  /** Takes the free slots of groups. */
  free(nodeId: string, free: FrameOf<"free">["free"]): void {
    const groups = this.#nodes.get(nodeId)?.groups;
    for (const key in free) {
      const group = groups?.get(key);
      if (group) group.free = Math.min(free[key] ?? 0, group.slots);
    }
  }

  /** Notes what a group offers. Returns it if it is new, or has more agents. */
  #set(nodeId: string, { key, ...offer }: NodeOffers): PeerGroup | undefined {
    const node = this.#nodes.get(nodeId);
    const known = node?.groups.get(key);
    const { slots, free, agents = 1 } = offer;
    if (known) {
      const isMore = agents > known.agents;
      Object.assign(known, { slots, free: Math.min(free, slots), agents });
      return isMore ? known : undefined;
    }
    if (!node || node.groups.size >= GROUPS_MAX || node.models + offer.models.length > MODELS_MAX)
      return undefined;
    const group: PeerGroup = {
      ...{ nodeId, key, slots, agents, free: Math.min(free, slots) },
      isV1: offer.protocol === "v1",
      models: new Map(offer.models.map((model) => [model.id, model])),
      endpoints: new Set([...offer.endpoints, ...(offer.raw_endpoints ?? [])]),
      tags: new Set(offer.tags),
      since: this.options.clock.now(),
    };
    node.groups.set(key, group);
    node.models += group.models.size;
    for (const model of group.models.keys())
      this.#byModel
        .getOrInsertComputed(model, () => new Map())
        .getOrInsertComputed(nodeId, () => new Set())
        .add(group);
    return group;
  }

  #remove(group: PeerGroup): void {
    const node = this.#nodes.get(group.nodeId);
    if (!node?.groups.delete(group.key)) return;
    node.models -= group.models.size;
    for (const model of group.models.keys()) {
      const nodes = this.#byModel.get(model);
      const groups = nodes?.get(group.nodeId);
      groups?.delete(group);
      if (groups?.size === 0) nodes?.delete(group.nodeId);
      if (nodes?.size === 0) this.#byModel.delete(model);
    }
    const now = this.options.clock.now();
    const since = now - this.options.reconnectGraceMs;
    while (this.#gone.length >= GONE_MAX || (this.#gone[0] && this.#gone[0].at <= since)) this.#gone.shift();
    this.#gone.push({ group, at: now });
  }

  /** Yields the nodes with groups that may fit, and those groups. */
  *#candidates({ model }: Wanted): Generator<[nodeId: string, groups: Iterable<PeerGroup>]> {
    if (model !== undefined) yield* this.#byModel.get(model) ?? [];
    else for (const [nodeId, { groups }] of this.#nodes) yield [nodeId, groups.values()];
  }

  /** Yields the groups with an agent that could do it, busy or not. */
  *fitting(wanted: Wanted): Generator<PeerGroup> {
    for (const [, groups] of this.#candidates(wanted))
      for (const group of groups) if (fits(group, wanted)) yield group;
  }

  /** Yields the ids of the nodes with an agent that could do it, busy or not. */
  *nodesFor(wanted: Wanted): Generator<string> {
    for (const [nodeId, groups] of this.#candidates(wanted)) if (has(groups, wanted)) yield nodeId;
  }

  /**
   * Yields how many slots of each node fit, and how many of them are free, with a group that has a free one. Of a node
   * with many groups, only some are looked at.
   */
  *roomFor(wanted: Wanted): Generator<NodeRoom> {
    for (const [nodeId, groups] of this.#candidates(wanted)) {
      const room: NodeRoom = { nodeId, slots: 0, free: 0, group: undefined };
      let left = LOOKED_AT_MAX;
      for (const group of groups) {
        if (left-- === 0) break;
        if (!fits(group, wanted)) continue;
        room.slots += group.slots;
        room.free += group.free;
        if (group.free > 0) room.group ??= group;
      }
      if (room.slots > 0) yield room;
    }
  }

  canDo(work: Work): boolean {
    return !this.nodesFor(wantedOf(work)).next().done;
  }

  /** How long an agent that has left may still come back that could do it; 0 or less if none has. */
  returnMs(wanted: Wanted): number {
    const { clock, reconnectGraceMs } = this.options;
    const last = this.#gone.findLast(({ group }) => fits(group, wanted));
    return last ? last.at + reconnectGraceMs - clock.now() : 0;
  }

  offersModel(model: string, isV1 = false): boolean {
    const nodes = this.#byModel.get(model);
    if (!nodes || !isV1) return nodes !== undefined;
    for (const groups of nodes.values()) for (const group of groups) if (group.isV1) return true;
    return false;
  }

  *models(tags: readonly (readonly string[])[]): Generator<OfferedModel> {
    for (const { groups } of this.#nodes.values())
      for (const group of groups.values())
        if (hasTags(group, tags))
          for (const model of group.models.values()) yield { ...model, offeredAt: group.since };
  }
}

/** Returns what an agent must be able to do for the work. */
function wantedOf({ model, models, v1, requests = [] }: Work): Wanted {
  return { model, models, isForV1: v1 !== undefined, requests };
}

function has(groups: Iterable<PeerGroup>, wanted: Wanted): boolean {
  for (const group of groups) if (fits(group, wanted)) return true;
  return false;
}

/** Whether an agent of the group could do it, busy or not. */
export function fits(group: PeerGroup, { model, models, tags = [], isForV1, requests }: Wanted): boolean {
  const isFor = group.isV1 ? isForV1 : requests.some(({ endpoint }) => group.endpoints.has(endpoint));
  if (!isFor || !hasTags(group, tags)) return false;
  if (model !== undefined) return group.models.has(model) && (!models || models.includes(model));
  return models ? models.some((name) => group.models.has(name)) : group.models.size > 0;
}

function hasTags({ tags }: PeerGroup, lists: readonly (readonly string[])[]): boolean {
  return lists.every((list) => list.some((tag) => tags.has(tag)));
}
