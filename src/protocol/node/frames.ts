import { z } from "zod";
import { ENDPOINTS, type Endpoint, EVENT_NAME, MODELS_MAX, Model, Usage } from "../agent-v2.ts";
import { PIECE_BYTES_MAX } from "../bytes/window.ts";
import {
  AFFINITY_KEYS_MAX,
  AFFINITY_NOTES_MAX,
  AGENT_IDS_MAX,
  CONTENT_TYPE_LENGTH_MAX,
  GROUPS_MAX,
  ID_LENGTH_MAX,
  KEY_LENGTH_MAX,
  MODEL_LENGTH_MAX,
  NAME_LENGTH_MAX,
  REQUESTS_MAX,
  TAGS_MAX,
  TRIED_MAX,
} from "./bounds.ts";
import {
  count,
  endpoint,
  error,
  frame,
  headers,
  id,
  list,
  models,
  ms,
  protocol,
  record,
  registrations,
  shownText,
  status,
  tags,
  text,
  userId,
} from "./fields.ts";
import { LIST_FRAMES } from "./list-frames.ts";
import { RESPONSE_FRAMES } from "./responses.ts";
import { USER_FRAMES } from "./users.ts";

export type { NodeError } from "./fields.ts";

/**
 * The frames between the nodes of a cluster: JSON objects, each with its `kind`, documented in `docs/cluster.md`.
 * Unknown kinds are ignored and counted, and unknown fields are ignored, so that neighbouring versions work together:
 * a field that is added later must be optional.
 */
export const NODE_PROTOCOL = 1;
/** The oldest version of the frames that this program understands. */
export const NODE_PROTOCOL_OLDEST = 1;

const hasKnownEndpoint = <Given extends { endpoint: string }>(
  given: Given,
): given is Given & { endpoint: Endpoint } => ENDPOINTS.some((known) => known === given.endpoint);

/** A waiting ask, without content; see `Ticket` of the core. */
export const TicketFields = z.object({
  id,
  user: userId,
  priority: z.enum(["high", "normal", "low"]),
  waited_ms: ms,
  pin: id.optional(),
  prefer: id.optional(),
  tags: tags.optional(),
  model: text(MODEL_LENGTH_MAX).optional(),
  models: models.optional(),
  v1: z.boolean(),
  /** Those with unknown endpoints are left out: the agents of this node can do the others nevertheless. */
  requests: list(z.object({ endpoint: text(NAME_LENGTH_MAX), stream: z.boolean() }), REQUESTS_MAX).transform(
    (given) => given.filter(hasKnownEndpoint),
  ),
  tried: list(z.object({ agent: id, repeatable: z.boolean() }), TRIED_MAX),
  repeatable: z.boolean(),
});
export type TicketFields = z.output<typeof TicketFields>;

/** Unknown endpoints are left out: a newer node may have agents with more. */
const endpoints = list(text(NAME_LENGTH_MAX), 64).transform((given) =>
  ENDPOINTS.filter((known) => given.includes(known)),
);

/** Agents of a node that can do the same. */
const offers = z.object({
  key: text(KEY_LENGTH_MAX),
  protocol,
  models: list(Model, MODELS_MAX),
  endpoints,
  /** The endpoints whose bodies or answers are bytes, apart from the others: nodes that cannot carry those do not see them. */
  raw_endpoints: endpoints.optional(),
  tags: list(text(NAME_LENGTH_MAX), TAGS_MAX),
  priority: z.number(),
  slots: count,
  free: count,
  /** How many agents they are. */
  agents: count.optional(),
});
export type NodeOffers = z.output<typeof offers>;

/** An agent, as other nodes know it. */
const agentIdentity = z.object({
  id,
  name: shownText(NAME_LENGTH_MAX),
  version: shownText(64).optional(),
  address: shownText(64),
  protocol,
  resumed: z.boolean().optional(),
  key: z
    .object({
      id: text(ID_LENGTH_MAX).nullable(),
      name: shownText(NAME_LENGTH_MAX),
      showsName: z.boolean().optional(),
    })
    .optional(),
});
export type NodeAgentIdentity = z.output<typeof agentIdentity>;

const origin = z.object({
  request_id: text(NAME_LENGTH_MAX),
  surface: text(64),
  traceparent: text(256).optional(),
  tracestate: text(1024).optional(),
});

/** The names of added fields. Those that the receiver does not know are for a newer node. */
const addedFields = list(text(64), 64);

const v1Request = z.object({
  message_id: z.string(),
  conversation_id: z.string(),
  parent_id: z.string(),
  content: z.string(),
});

/** The position of a v1 chat, by a hash of its owner and messages. */
const thread = {
  key: text(NAME_LENGTH_MAX),
  conversation: text(MODEL_LENGTH_MAX),
  parent: text(MODEL_LENGTH_MAX),
  agent: id,
};

/** The request that an agent gets. */
const what = z.union([
  z.object({ v1: v1Request }),
  z.object({
    endpoint,
    stream: z.boolean(),
    headers: headers.optional(),
    body: z.string(),
    /** The fields that may be taken back, and those of them that the body does not have. */
    added: addedFields.optional(),
    without: addedFields.optional(),
    /** The body follows in `bytes`, and `body` is empty. */
    upload: z.object({ content_type: text(CONTENT_TYPE_LENGTH_MAX), bytes: count }).optional(),
  }),
]);

const answer = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("v1"),
    answer: z.object({
      ...{ id: z.string(), response_id: z.string(), conversation_id: z.string() },
      ...{ content: z.string(), error: z.string() },
    }),
  }),
  z.object({
    kind: z.literal("model"),
    status,
    body: z.string().optional(),
    usage: Usage.optional(),
    headers: headers.optional(),
  }),
]);

const affinityNote = z.object({
  user: userId,
  model: text(MODEL_LENGTH_MAX),
  keys: list(text(NAME_LENGTH_MAX), AFFINITY_KEYS_MAX),
  agent: id,
});
export type NodeAffinityNote = z.output<typeof affinityNote>;

/** Whether it is bytes that may be the `data` of one frame: more go in several. */
export const isPiece = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.byteLength > 0 && value.byteLength <= PIECE_BYTES_MAX;

/** Frames about agents and asks. */
const ASK_FRAMES = [
  /**
   * The work that the sender's agents could do, equal ones grouped. `all`: on join, what was known before is void.
   * Otherwise the groups that have changed, and the keys of those that are `gone`.
   */
  frame("state", {
    all: z.boolean().optional(),
    offers: list(offers, GROUPS_MAX),
    gone: list(text(KEY_LENGTH_MAX), GROUPS_MAX).optional(),
    waiting: count,
    draining: z.boolean(),
  }),
  /** The free slots of groups of `state`, at most every 20 ms. */
  frame("free", { free: record(text(KEY_LENGTH_MAX), count, GROUPS_MAX) }),
  /** The agents that came, with the times of `Directory`, and those that went; on join, all of them in several frames. */
  frame("agents", { joined: registrations, left: list(id, AGENT_IDS_MAX) }),
  /** The receiver, which has joined, knows all agents of the sender. */
  frame("introduced", {}),
  /** An agent with this id, which the receiver has, wants to register at the sender. */
  frame("claim", { claim: id, agent: agentIdentity }),
  frame("claimed", { claim: id, ok: z.boolean() }),
  /** An ask of the sender waits. */
  frame("seek", { ticket: TicketFields }),
  /** It no longer waits. `taken`: it has a slot somewhere. */
  frame("forget", { ticket: id, taken: z.boolean() }),
  /** A slot is held for an ask of the receiver. */
  frame("offer", {
    ticket: id,
    slot: id,
    /** The key of the agent's group in `state`. */
    group: text(KEY_LENGTH_MAX).optional(),
    agent: agentIdentity,
    /** The agent's tags. */
    tags: list(text(NAME_LENGTH_MAX), TAGS_MAX).optional(),
    model: text(MODEL_LENGTH_MAX),
    endpoint: endpoint.optional(),
  }),
  /** Takes the slot, for the ticket or for another ask of the sender. */
  frame("run", { slot: id, what, model: text(MODEL_LENGTH_MAX), origin }),
  /** The agent's upstream refuses these added fields: asks for the body without them. */
  frame("refused", { slot: id, fields: addedFields }),
  /** The body without them; missing if it is the same. */
  frame("again", { slot: id, body: z.string().optional() }),
  /** Returns the slot. What runs in it is cancelled. */
  frame("give", { slot: id }),
  frame("accept", { slot: id }),
  frame("alive", { slot: id }),
  frame("delta", {
    slot: id,
    data: z.string(),
    event: text(EVENT_NAME.lengthMax).regex(EVENT_NAME.pattern, "must not have a line break").optional(),
  }),
  /** The beginning of an answer in bytes. */
  frame("head", { slot: id, status, content_type: text(CONTENT_TYPE_LENGTH_MAX) }),
  /** Bytes of the body of a request, or of its answer, which stand beside the JSON: see `bytes-body.ts`. */
  frame("bytes", { slot: id, data: z.custom<Uint8Array>(isPiece) }),
  /** This many more bytes of the body, or of the answer, may be sent. */
  frame("credit", { slot: id, bytes: count }),
  frame("done", { slot: id, answer }),
  /** `unsent`: no agent was sent the ask. */
  frame("fail", {
    slot: id,
    error,
    retryable: z.boolean(),
    repeatable: z.boolean(),
    unsent: z.boolean().optional(),
  }),
  /** The length of all deltas of a slot that were passed on to the caller, in UTF-16 code units. */
  frame("ack", { slot: id, bytes: count }),
  /** The place where a v1 chat of the OpenAI-style API continues. `n` is the sender's number of it. */
  frame("thread", { n: count, ...thread }),
  frame("thread_kept", { n: count }),
  /** Those continued last, the youngest last, for a node that joins. */
  frame("threads", { threads: list(z.object(thread), 500) }),
  /** The agents that have these parts of users' requests cached. */
  frame("affinity", { notes: list(affinityNote, AFFINITY_NOTES_MAX) }),
] as const;

export const NodeFrame = z.discriminatedUnion("kind", [
  ...ASK_FRAMES,
  ...USER_FRAMES,
  ...RESPONSE_FRAMES,
  ...LIST_FRAMES,
]);
export type NodeFrame = z.output<typeof NodeFrame>;
export type NodeFrameKind = NodeFrame["kind"];
export type FrameOf<Kind extends NodeFrameKind> = Extract<NodeFrame, { kind: Kind }>;
