import { ADDED_FIELDS, type AddedField } from "../../protocol/added-fields.ts";
import type { V1Request } from "../../protocol/agent-v1.ts";
import { MODEL_LENGTH_MAX, NAME_LENGTH_MAX } from "../../protocol/node/bounds.ts";
import type { FrameOf, NodeAgentIdentity } from "../../protocol/node/frames.ts";
import type { HeldAgent } from "../../relay/peers.ts";
import type { AskOrigin } from "../../relay/record.ts";
import {
  type AgentCommand,
  type AgentIdentity,
  type Answer,
  DEFAULT_PREFERENCE,
  type ModelRequest,
  type Upload,
  type UploadReader,
} from "../../relay/types.ts";

type RunFrame = FrameOf<"run">;
type AskCommand = Extract<AgentCommand, { kind: "ask" }>;

/**
 * Returns the frame that takes a slot. `without`: the fields that its body is not to have. `upload`: the body, if that is
 * sent as bytes.
 */
export function runFrame(
  { request, origin, ...command }: AskCommand,
  slot: string,
  without: ReadonlySet<AddedField>,
  upload?: Pick<UploadReader, "bytes">,
): RunFrame {
  const model = command.model.slice(0, MODEL_LENGTH_MAX);
  const contentType = "endpoint" in request ? request.upload?.contentType : undefined;
  const announced = upload &&
    contentType !== undefined && { upload: { content_type: contentType, bytes: upload.bytes } };
  const what =
    "endpoint" in request ? { ...modelWhat(request, command.model, without), ...announced } : { v1: request };
  return { kind: "run", slot, what, model, origin: originFields(origin) };
}

function modelWhat(
  request: ModelRequest,
  model: string,
  without: ReadonlySet<AddedField>,
): Exclude<RunFrame["what"], { v1: V1Request }> {
  const { endpoint, stream, headers, added = [] } = request;
  return {
    ...{ endpoint, stream, body: request.body(model, without) },
    ...(headers && { headers }),
    ...(added.length > 0 && { added: [...added] }),
    ...(without.size > 0 && { without: [...without] }),
  };
}

function originFields({ requestId, surface, traceparent, tracestate }: AskOrigin): RunFrame["origin"] {
  return {
    request_id: requestId.slice(0, NAME_LENGTH_MAX),
    surface,
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
  };
}

export function originOf({ request_id, ...rest }: RunFrame["origin"]): AskOrigin {
  return { requestId: request_id, ...rest };
}

/** Returns the request of a node. `bodyWithout` asks that node for another body. `upload` is the body if it is in bytes. */
export function requestOf(
  what: RunFrame["what"],
  bodyWithout: NonNullable<ModelRequest["bodyWithout"]>,
  upload?: Upload,
): V1Request | ModelRequest {
  if ("v1" in what) return what.v1;
  const { endpoint, stream, headers, body } = what;
  return {
    ...{ endpoint, stream, body: () => body, bodyWithout },
    ...(headers && { headers }),
    ...(upload && { upload }),
    added: addedOf(what.added),
    without: new Set(addedOf(what.without)),
  };
}

/** Returns those of the names that are known. */
export function addedOf(names: readonly string[] = []): AddedField[] {
  return ADDED_FIELDS.filter((field) => names.includes(field));
}

export function answerFields(answer: Answer): FrameOf<"done">["answer"] {
  if (answer.kind === "v1") return answer;
  const { status, body, usage, headers } = answer;
  return {
    ...{ kind: "model", status },
    ...(body !== undefined && { body }),
    ...(usage && { usage }),
    ...(headers && { headers }),
  };
}

export function answerOf(fields: FrameOf<"done">["answer"]): Answer {
  if (fields.kind === "v1") return fields;
  const { kind, status, body, usage, headers } = fields;
  return { kind, status, body, usage, headers };
}

/** Returns the agent as other nodes know it. */
export function agentFields({
  id,
  name,
  version,
  address,
  protocol,
  resumed,
  key,
}: AgentIdentity): NodeAgentIdentity {
  return {
    ...{ id, name, address, protocol },
    ...(version !== undefined && { version }),
    ...(resumed !== undefined && { resumed }),
    ...(key && { key: { id: key.id, name: key.name, ...(key.showsName && { showsName: true }) } }),
  };
}

/** Returns the agent of a slot that the node with this name holds. */
export function heldOf({ agent, tags, model, endpoint }: FrameOf<"offer">, node: string): HeldAgent {
  const { version, resumed, key, ...identity } = agent;
  return {
    profile: {
      ...identity,
      node,
      ...(version !== undefined && { version }),
      ...(resumed !== undefined && { resumed }),
      ...(key && { key: { id: key.id, name: key.name, ...(key.showsName && { showsName: true }) } }),
      ...(tags && tags.length > 0 && { preference: { ...DEFAULT_PREFERENCE, tags } }),
    },
    model,
    endpoint,
  };
}
