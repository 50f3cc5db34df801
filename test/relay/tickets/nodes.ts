import type { Clock } from "../../../src/clock.ts";
import type { HeldAgent, Peers, Ticket, TicketNode } from "../../../src/relay/peers.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import { Relay } from "../../../src/relay/relay.ts";
import type { AgentCommand, RelayLimits, Transport } from "../../../src/relay/types.ts";
import { LIMITS } from "../../support/relay.ts";
import { createLink, type Link } from "./link.ts";

/** Counts of what nodes sent each other. */
export interface Traffic {
  offers: number;
  runs: number;
  gives: number;
  fails: number;
}

export interface ClusterNode {
  id: string;
  relay: Relay;
  /** The calls of its peers, in order. */
  asked: { seek: Ticket[]; forget: { ticketId: string; isTaken: boolean }[] };
  /** The links to the other nodes that are in touch, by their ids. */
  links: Map<string, Link>;
  /** The port of the core to the others. What it says of their agents is never out of date. */
  peers: Peers;
}

interface ClusterOptions {
  clock: Clock;
  count: number;
  /** How long a message takes from one node to another. */
  delayMs: () => number;
  limits?: Partial<RelayLimits>;
  random?: () => number;
  ended?: (nodeId: string, record: AskRecord) => void;
}

const NO_BYTES = { total: 0, buffered: 0, read: 0 };

/** Relays that are linked by calls with delays instead of frames, all on one clock. */
export function createCluster({ clock, count, delayMs, limits = {}, random, ended }: ClusterOptions) {
  const traffic: Traffic = { offers: 0, runs: 0, gives: 0, fails: 0 };
  const nodes = new Map<string, ClusterNode>();
  /** Until when agents that have left, or those of a lost node, count as hope, by the nodes that hope. */
  const hopeUntil = new Map<string, number>();
  const graceMs = limits.reconnectGraceMs ?? LIMITS.reconnectGraceMs;
  /** The pairs of nodes whose link is broken, until they meet again. */
  const broken = new Set<string>();
  const pairOf = (one: ClusterNode, other: ClusterNode) => [one.id, other.id].sort().join();
  let ids = 0;

  const linkedTo = ({ links }: ClusterNode) =>
    [...links].flatMap(([id, { isUp }]) => (isUp ? (nodes.get(id) ?? []) : []));
  const couldDo = (ticket: Ticket, { relay }: ClusterNode) => {
    const work = workOf(ticket);
    for (const agent of relay.agents()) {
      if (ticket.pin !== undefined && agent.id !== ticket.pin) continue;
      const tried = ticket.tried.find(({ agentId }) => agentId === agent.id);
      if (agent.canDo(work) && agent.hasTags(ticket.tags ?? []) && (!tried || tried.isRepeatable))
        return true;
    }
    return false;
  };

  function peersOf(id: string): Peers {
    const own = () => nodes.get(id) as ClusterNode;
    const others = () => linkedTo(own());
    const anyAgent = (test: (agent: Parameters<Relay["accept"]>[0]) => boolean) =>
      others().some(({ relay }) => [...relay.agents()].some(test));
    return {
      seek(ticket) {
        own().asked.seek.push(ticket);
        for (const other of others()) sendTicket(own(), other, ticket);
      },
      forget(ticketId, isTaken) {
        own().asked.forget.push({ ticketId, isTaken });
        for (const { id: to, relay } of others())
          own()
            .links.get(to)
            ?.send(() => relay.forget(ticketId, isTaken));
      },
      hopeMs: (ticket) =>
        others().some((other) => couldDo(ticket, other))
          ? Number.POSITIVE_INFINITY
          : (hopeUntil.get(id) ?? 0) - clock.now(),
      canDo: (work) => anyAgent((agent) => agent.canDo(work)),
      offersModel: (model, isV1 = false) =>
        anyAgent((agent) => agent.hasModel(model) && (!isV1 || agent.isV1)),
      models: (tags) =>
        others()
          .flatMap(({ relay }) => [...relay.agents()])
          .flatMap((agent) => (agent.hasTags(tags) ? agent.offer.models : []))
          .map(({ id: model }) => ({ id: model, offeredAt: clock.now() })),
      isConnected: (agentId) => anyAgent((agent) => agent.id === agentId),
    };
  }

  function sendTicket(from: ClusterNode, to: ClusterNode, ticket: Ticket): void {
    const link = from.links.get(to.id);
    const copy = structuredClone(ticket);
    link?.send(() => to.relay.seek(copy, ticketNode(to, from)));
  }

  /** The node `asker` as the home of an agent sees it. What it sends is lost with the link that is there now. */
  function ticketNode(home: ClusterNode, asker: ClusterNode): TicketNode {
    const link = home.links.get(asker.id);
    const send = (deliver: () => void) => link?.send(deliver);
    const { relay } = asker;
    const toSlot = (slotId: string, call: (agent: NonNullable<ReturnType<Relay["lentAgent"]>>) => void) =>
      send(() => {
        const agent = relay.lentAgent(slotId);
        if (agent) call(agent);
        else relay.ignored();
      });
    return {
      id: asker.id,
      offer(ticketId, slotId, held) {
        traffic.offers++;
        const copy: HeldAgent = structuredClone(held);
        const offer = { nodeId: home.id, held: copy, transport: transportTo(asker, home) };
        send(() => relay.offered(ticketId, slotId, offer));
      },
      accept: (slotId) => toSlot(slotId, (agent) => relay.accept(agent, slotId)),
      alive: (slotId) => toSlot(slotId, (agent) => relay.alive(agent, slotId)),
      delta: (slotId, delta) => toSlot(slotId, (agent) => relay.delta(agent, slotId, delta)),
      done: (slotId, answer) => toSlot(slotId, (agent) => relay.done(agent, slotId, answer)),
      fail(slotId, error, how) {
        traffic.fails++;
        toSlot(slotId, (agent) => relay.lentFailed(agent, slotId, error, how));
      },
    };
  }

  /** The write side of a slot of `home`, for the node `asker`. */
  function transportTo(asker: ClusterNode, home: ClusterNode): Transport {
    const link = asker.links.get(home.id);
    return {
      sentBytes: () => NO_BYTES,
      close: () => {},
      send(command) {
        if (!link?.isUp) return false;
        if (command.kind === "cancel") {
          traffic.gives++;
          link.send(() => home.relay.give(command.slot));
        } else if (command.kind === "ask") {
          traffic.runs++;
          const { slot, model, origin } = command;
          const request = copyOf(command);
          link.send(() => home.relay.run(ticketNode(home, asker), slot, request, model, origin));
        }
        return true;
      },
    };
  }

  function meet(one: ClusterNode, other: ClusterNode): void {
    broken.delete(pairOf(one, other));
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const)
      from.links.set(to.id, createLink(clock, delayMs));
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const ticket of from.relay.waitingTickets()) sendTicket(from, to, ticket);
      from.relay.peersChanged();
    }
  }

  for (let index = 0; index < count; index++) {
    const id = `n${index + 1}`;
    const peers = peersOf(id);
    const tell = () => {
      for (const other of linkedTo(nodes.get(id) as ClusterNode))
        clock.after(delayMs(), () => other.relay.peersChanged());
    };
    const left = () => {
      for (const other of linkedTo(nodes.get(id) as ClusterNode))
        hopeUntil.set(other.id, clock.now() + graceMs);
      tell();
    };
    const relay = new Relay({
      ...{ clock, peers, newId: () => `${id}-${++ids}`, random: random ?? (() => 0.5) },
      limits: { ...LIMITS, ...limits },
      observe: { joined: tell, left, ended: (record) => ended?.(id, record) },
    });
    nodes.set(id, { id, relay, peers, asked: { seek: [], forget: [] }, links: new Map() });
  }
  const all = [...nodes.values()];
  for (const one of all) for (const other of all) if (one.id < other.id) meet(one, other);

  return {
    nodes: all,
    traffic,
    /**
     * Breaks the link between two nodes. Each learns it after its own delay; once both have, `onLost` is called. What a
     * lost node offered counts as hope for `graceMs`.
     */
    cut(one: ClusterNode, other: ClusterNode, noticeMs: () => number, onLost: () => void = () => {}): void {
      let left = 2;
      const pair = pairOf(one, other);
      broken.add(pair);
      for (const [node, peer] of [
        [one, other],
        [other, one],
      ] as const) {
        const link = node.links.get(peer.id);
        link?.cut();
        clock.after(noticeMs(), () => {
          if (link) link.isUp = false;
          node.links.delete(peer.id);
          hopeUntil.set(node.id, clock.now() + graceMs);
          node.relay.nodeLost(peer.id);
          node.relay.peersChanged();
          if (--left === 0) onLost();
        });
      }
    },
    meet,
    /** Whether both nodes are in touch, and the link works. */
    isLinked: (one: ClusterNode, other: ClusterNode) => one !== other && !broken.has(pairOf(one, other)),
    /** Tells all nodes that what agents offer has changed. */
    changed: () => {
      for (const { relay } of all) clock.after(delayMs(), () => relay.peersChanged());
    },
  };
}

/** Returns the request as it arrives at another node: with a body for one model. */
function copyOf({ request, model }: Extract<AgentCommand, { kind: "ask" }>) {
  if (!("endpoint" in request)) return request;
  const body = request.body(model, new Set());
  return { ...request, body: () => body };
}

function workOf({ model, models, isForV1, requests }: Ticket) {
  const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "" };
  return {
    ...{ model, models, v1: isForV1 ? v1 : undefined },
    requests: requests.map((request) => ({ ...request, body: () => "" })),
  };
}
