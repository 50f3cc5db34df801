import { AppError } from "../errors.ts";
import { isSamePrincipal, type Principal } from "../principal.ts";
import type { V1Answer } from "../protocol/agent-v1.ts";
import type { ChatMessage } from "../protocol/chat.ts";
import { offeredName } from "../protocol/model-name.ts";
import { estimateTokens } from "../protocol/token-estimate.ts";
import { readChat } from "./chat.ts";
import type { AskOrigin } from "./record.ts";
import type { Relay } from "./relay.ts";
import type { Priority } from "./routing/priority.ts";
import type { AskRequest, ModelRequest, Signal } from "./types.ts";

/** The turns from which a conversation is continued. */
export interface Conversation {
  id: string;
  /** Who began it. */
  owner: Principal;
  /** The agent that answered last. Unless the conversation is `kept`, only this agent has its text. */
  agent: string;
  /** The server keeps the text, so that any agent can continue the conversation. */
  kept: boolean;
  /** The model that answered last, if it is known. */
  model: string | undefined;
}

/** One question with its answer. */
export interface Turn {
  /** The `response_id`. */
  id: string;
  /** The turn that this one continues; undefined for the first. */
  parent: string | undefined;
  question: string;
  answer: string;
}

export interface Conversations {
  find(id: string): Promise<Conversation | undefined>;
  /** Returns the turns up to the one with the id `last`, or to the newest; undefined without such a turn. */
  branch(conversation: string, last: string | undefined): Promise<Turn[] | undefined>;
  /**
   * Keeps a new conversation, or notes that a known one was used, and keeps the turn if there is one. Returns
   * at once; the write follows. Nobody takes over a conversation by naming it: one with another owner is left
   * unchanged, and so is one whose text is at another agent. Only a kept one changes its agent and model.
   */
  remember(conversation: Conversation, turn?: Turn): void;
  /**
   * Resolves once other servers can continue what was remembered until now, or once the write has failed. Must
   * be called before the answer ends, as the next question may go to another server. Missing if there are none.
   */
  shared?(): Promise<void>;
}

export interface AskConversationDeps {
  relay: Pick<Relay, "ask" | "offersModel" | "knowsModel">;
  conversations: Conversations;
  newId: () => string;
  /** Returns ids in the order of time, so that their index grows at its end and not in the middle. */
  newConversationId: () => string;
  /** The greatest length of a kept conversation with its new question, in UTF-16 code units. */
  conversationLengthMax: number;
}

export interface Asker {
  principal: Principal;
  /** The hash of the token that a user sent. */
  tokenHash?: string | undefined;
  /** The models that the principal may use, by the names that agents know; undefined for all. */
  models?: readonly string[] | undefined;
  /** The weight of the ask in the queue; `normal` if left out. */
  priority?: Priority | undefined;
  /** The ask goes only to agents that have at least one tag of each of these lists. */
  tags?: readonly (readonly string[])[] | undefined;
}

/** Who asks, and by which request. */
export interface AskContext extends Asker, Pick<AskRequest, "onTaken" | "onSent" | "onWaiting"> {
  origin: AskOrigin;
  /**
   * Reserves tokens of the asker's limit for what the server adds to the request. Throws an `AppError`, or rejects
   * with it, if the rest of the limit is reserved. The estimate is made only if there is a limit.
   */
  reserve?: ((estimate: () => number) => void | Promise<void>) | undefined;
}

/** Returns the part of an ask that says who asks, by which request, and how it is treated. */
export function requestOf({
  principal,
  tokenHash,
  origin,
  priority,
  tags,
  onTaken,
  onSent,
  onWaiting,
}: AskContext): Omit<AskRequest, "work"> {
  return { principal, tokenHash, origin, priority, tags, onTaken, onSent, onWaiting };
}

/** One question in a conversation; the ids have the names of v1. */
export interface ConversationQuestion {
  content: string;
  message_id?: string | undefined;
  /** Undefined begins a new conversation. */
  conversation_id?: string | undefined;
  /** The `response_id` of the turn to continue; undefined for the newest. */
  parent_id?: string | undefined;
  model?: string | undefined;
  /** The models to use when that one cannot answer. */
  fallbacks?: readonly string[] | undefined;
}

/** v1 agents choose the ids of their conversations; longer ones are not stored. */
const CONVERSATION_ID_LENGTH_MAX = 256;

/**
 * Asks one question in a new or known conversation. Only the owner and the admin may continue a known one;
 * for anyone else it does not exist. If an agent has the text, the ask goes to that agent; if the server has
 * it, to any that has the model. A turn that alone is longer than a conversation may be is answered, but not
 * kept. `onText` is called with each piece of the answer as it comes, or with a whole answer.
 */
export async function askConversation(
  deps: AskConversationDeps,
  asker: AskContext,
  question: ConversationQuestion,
  signal: Signal,
  onText: (text: string) => void = () => {},
): Promise<{ answer: V1Answer; agent: string }> {
  const { content: text } = question;
  const { known, branch } = await findBranch(deps, asker, question);
  checkLength(branch, text, deps.conversationLengthMax);
  if (branch.length > 0)
    await asker.reserve?.(() =>
      estimateTokens(branch.map(({ question, answer }) => question + answer).join("")),
    );

  const chat = readChat(onText);
  const request = createRequest(deps, asker, question, known, branch);
  const result = await deps.relay.ask({ ...request, onDelta: chat.delta }, signal);
  const { agent } = result;
  if (result.answer.kind === "v1") {
    const { answer } = result.answer;
    onText(answer.content);
    const { conversation_id: id } = answer;
    const owner = id === known?.id ? known.owner : asker.principal;
    if (id !== "" && id.length <= CONVERSATION_ID_LENGTH_MAX)
      deps.conversations.remember({ id, owner, agent, kept: false, model: undefined });
    await deps.conversations.shared?.();
    return { answer, agent };
  }
  const content = chat.end(result.answer);
  const answer = { id: "", response_id: "", conversation_id: known?.id ?? "", content, error: "" };
  // The ids say that an answer can be continued.
  if (text.length + content.length > deps.conversationLengthMax) return { answer, agent };
  const id = known?.id ?? deps.newConversationId();
  const owner = known?.owner ?? asker.principal;
  const turn = { id: deps.newId(), parent: branch.at(-1)?.id, question: text, answer: content };
  deps.conversations.remember({ id, owner, agent, kept: true, model: result.model }, turn);
  await deps.conversations.shared?.();
  return { answer: { ...answer, response_id: turn.id, conversation_id: id }, agent };
}

/** Returns the conversation that the question continues, if any, with the turns that come before it. */
async function findBranch(
  { conversations }: AskConversationDeps,
  { principal }: Asker,
  { conversation_id: id, parent_id }: ConversationQuestion,
): Promise<{ known: Conversation | undefined; branch: Turn[] }> {
  const known = id ? await conversations.find(id) : undefined;
  if (id && !(known && mayContinue(principal, known))) throw new AppError("conversation_unknown");
  const branch = known?.kept ? await conversations.branch(known.id, parent_id) : [];
  if (branch) return { known, branch };
  throw new AppError("parent_unknown", { hint: "parent_id must be a response_id of this conversation." });
}

function mayContinue(principal: Principal, { owner }: Conversation): boolean {
  return principal.kind === "admin" || isSamePrincipal(principal, owner);
}

function createRequest(
  { newId, relay }: AskConversationDeps,
  asker: AskContext,
  question: ConversationQuestion,
  known: Conversation | undefined,
  branch: Turn[],
): AskRequest {
  const { models } = asker;
  const from = requestOf(asker);
  const v1 = {
    message_id: question.message_id ?? newId(),
    conversation_id: question.conversation_id ?? "",
    parent_id: question.parent_id ?? newId(),
    content: question.content,
  };
  const { fallbacks } = question;
  const request = chatRequest(branch, question.content);
  if (!known) return { ...from, work: { model: question.model, fallbacks, models, v1, requests: [request] } };
  if (!known.kept) return { ...from, pin: known.agent, work: { models, v1 } };
  const model = question.model ?? (known.model && offeredName(known.model, relay));
  if (model !== undefined && models?.includes(model) === false)
    throw new AppError("model_not_allowed", { hint: "Name another `model` to continue with." });
  // The agent of the last turn is preferred, and for another model the one that answered with that model.
  const keys = [known.id];
  const affinity = { known: keys, kept: keys };
  return { ...from, prefer: known.agent, affinity, work: { model, fallbacks, models, requests: [request] } };
}

/**
 * Streamed, as an agent at work is then heard, and a long answer is not taken for a lost one. The usage is asked
 * for, as streams have none otherwise. An upstream may refuse either.
 */
function chatRequest(branch: Turn[], question: string): ModelRequest {
  const messages: ChatMessage[] = [];
  for (const turn of branch)
    messages.push({ role: "user", content: turn.question }, { role: "assistant", content: turn.answer });
  messages.push({ role: "user", content: question });
  const body: ModelRequest["body"] = (model, refused) => {
    const stream = refused.has("stream") ? {} : { stream: true };
    const asksUsage = refused.size === 0 && { stream_options: { include_usage: true } };
    return JSON.stringify({ model, messages, ...stream, ...asksUsage });
  };
  return { endpoint: "chat/completions", stream: true, added: ["stream", "stream_options"], body };
}

/** The first turn is not refused, as it may be the only one. It is not kept if it is too long. */
function checkLength(branch: Turn[], question: string, lengthMax: number): void {
  let length = question.length;
  for (const turn of branch) length += turn.question.length + turn.answer.length;
  if (branch.length === 0 || length <= lengthMax) return;
  throw new AppError("conversation_full", {
    hint: "Begin a new conversation, or continue from an earlier response_id as parent_id.",
  });
}
