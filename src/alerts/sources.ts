import type { Agent } from "../relay/agent.ts";
import type { Relay, WaitingAsk } from "../relay/relay.ts";

/** The part of the relay that is looked at. */
export type WatchedRelay = Pick<Relay, "agents" | "stats" | "capacity" | "offersModel" | "lastWith"> & {
  waitingAsks(): readonly Pick<WaitingAsk, "model" | "waitedMs">[];
};

/** The slow facts about the server, which are looked up every some seconds. */
export interface ServerFacts {
  /** Whether the database can be written, and whether requests of known users are served if it cannot. */
  store: "works" | "away" | "fails";
  isNatsAway: boolean;
  /** The free space of the data folder; undefined if it is not known. */
  freeBytes: number | undefined;
  /** How far this machine's clock is ahead of the database's; undefined if they agree. */
  clockAheadMs: number | undefined;
}

/** The certificate in use. Times are in milliseconds since 1970. */
export interface CertificateFacts {
  names: string;
  expiresAt: number;
  /** Undefined if the server does not renew it itself. */
  renewal: { failure: string | undefined } | undefined;
}

/** The other nodes of the cluster. */
export interface ClusterFacts {
  /** The name of this node. */
  self: string;
  /** How many agents are connected to other nodes. */
  agentsElsewhere(): number;
  /** Whether an agent of another node offers the model. */
  offersElsewhere(model: string): boolean;
  isConnectedElsewhere(agentId: string): boolean;
}

/** The sources of the finders. All of it exists anyway, so a look does not slow requests down. */
export interface AlertSources {
  relay: WatchedRelay;
  /** How many requests may wait. */
  queueMax: number;
  facts(): ServerFacts;
  certificate(): CertificateFacts | undefined;
  /** Whether others can reach the server, and the admin key is short. */
  isAdminKeyWeak: boolean;
  /** Why the last message could not be delivered; undefined if it could. */
  webhookFailure(): string | undefined;
  /** Undefined for a single server. */
  cluster: ClusterFacts | undefined;
}

/** An agent as problems name it. */
export type NamedAgent = Pick<Agent, "id" | "profile">;
