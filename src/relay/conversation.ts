import { AppError } from "../errors.ts";
import type { AskBody } from "../http/ask/schema.ts";
import { isSamePrincipal, type Principal } from "../principal.ts";
import type { V1Answer } from "../protocol/agent-v1.ts";
import type { ChatMessage } from "../protocol/chat.ts";
import type { AskRequest } from "./ask.ts";
import { readChat } from "./chat.ts";
import type { Conversation, Conversations, ModelRequest, Signal, Turn } from "./ports.ts";
import type { AskOrigin } from "./record.ts";
import type { Relay } from "./relay.ts";

export interface AskConversationDeps {
  relay: Relay;
  conversations: Conversations;
  newId: () => string;
  /** In the order of time, so that an index of them grows at its end and not all over. */
  newConversationId: () => string;
  /** What a conversation that the server keeps may hold, the new question included, in UTF-16 code units. */
  conversationLengthMax: number;
}

export interface Asker {
  principal: Principal;
  /** The models that the user may use, by the names that agents know; undefined for all. */
  models?: readonly string[] | undefined;
}

/** Who asks, and by which request. */
export interface AskContext extends Asker {
  origin: AskOrigin;
}

export interface ConversationAnswer {
  answer: V1Answer;
  agent: string;
}

/** What an agent of the reference's protocol names its conversations is not to fill the store. */
const CONVERSATION_ID_LENGTH_MAX = 256;

/**
 * One ask in a conversation, new or known. A known one is continued by its owner only (by the admin any);
 * anybody else gets the same error as for an unknown one. Where an agent has its words the ask goes to that
 * agent; where the server has them it goes to any that has the model. `onText` is told each piece of the
 * answer as it comes; an answer that comes whole is told once, at the end.
 */
export async function askConversation(
  deps: AskConversationDeps,
  asker: AskContext,
  body: AskBody,
  signal: Signal,
  onText: (text: string) => void = () => {},
): Promise<ConversationAnswer> {
  const known = body.conversation_id ? await deps.conversations.find(body.conversation_id) : undefined;
  if (body.conversation_id && (!known || !mayContinue(asker.principal, known)))
    throw new AppError("conversation_unknown");
  const branch = known?.kept ? await deps.conversations.branch(known.id, body.parent_id) : [];
  if (!branch)
    throw new AppError("parent_unknown", { hint: "parent_id must be a response_id of this conversation." });
  checkLength(branch, body.content, deps.conversationLengthMax);

  const chat = readChat(onText);
  const request = createRequest(deps, asker, body, known, branch);
  const result = await deps.relay.ask({ ...request, onDelta: chat.delta }, signal);
  const { agent } = result;
  if (result.answer.kind === "v1") {
    const { answer } = result.answer;
    onText(answer.content);
    rememberAtAgent(deps, { answer, agent, known, asker });
    return { answer, agent };
  }
  const content = chat.end(result.answer);
  const model = result.model;
  const conversation = {
    kept: true,
    id: known?.id ?? deps.newConversationId(),
    owner: known?.owner ?? asker.principal,
    agent,
    model,
  };
  const turn = { id: deps.newId(), parent: branch.at(-1)?.id, question: body.content, answer: content };
  deps.conversations.remember(conversation, turn);
  const ids = { id: "", response_id: turn.id, conversation_id: conversation.id };
  return { answer: { ...ids, content, error: "" }, agent };
}

function mayContinue(principal: Principal, { owner }: Conversation): boolean {
  return principal.kind === "admin" || isSamePrincipal(principal, owner);
}

function createRequest(
  { newId }: AskConversationDeps,
  asker: AskContext,
  body: AskBody,
  known: Conversation | undefined,
  branch: Turn[],
): AskRequest {
  const from = { principal: asker.principal, origin: asker.origin };
  const v1 = {
    message_id: body.message_id ?? newId(),
    conversation_id: body.conversation_id ?? "",
    parent_id: body.parent_id ?? newId(),
    content: body.content,
  };
  const request = chatRequest(branch, body.content);
  const { models } = asker;
  if (!known) return { ...from, work: { model: body.model, models, v1, requests: [request] } };
  if (!known.kept) return { ...from, pin: known.agent, work: { models, v1 } };
  const model = body.model ?? known.model;
  if (model !== undefined && models?.includes(model) === false)
    throw new AppError("model_not_allowed", { hint: "Name another model to go on with." });
  return { ...from, prefer: known.agent, work: { model, models, requests: [request] } };
}

/** Always streamed, so that a long answer is not taken for none. */
function chatRequest(branch: Turn[], question: string): ModelRequest {
  const messages: ChatMessage[] = [];
  for (const turn of branch) {
    messages.push({ role: "user", content: turn.question }, { role: "assistant", content: turn.answer });
  }
  messages.push({ role: "user", content: question });
  const body = (model: string) => JSON.stringify({ model, messages, stream: true });
  return { endpoint: "chat/completions", stream: true, body };
}

function checkLength(branch: Turn[], question: string, lengthMax: number): void {
  let length = question.length;
  for (const turn of branch) length += turn.question.length + turn.answer.length;
  if (branch.length === 0 || length <= lengthMax) return;
  throw new AppError("conversation_full", {
    hint: "Begin a new conversation, or go on from an earlier response_id as parent_id.",
  });
}

function rememberAtAgent(
  { conversations }: AskConversationDeps,
  { answer, agent, known, asker }: ConversationAnswer & { known: Conversation | undefined; asker: Asker },
): void {
  const id = answer.conversation_id;
  if (id === "" || id.length > CONVERSATION_ID_LENGTH_MAX) return;
  const owner = id === known?.id ? known.owner : asker.principal;
  conversations.remember({ id, owner, agent, kept: false, model: undefined });
}
