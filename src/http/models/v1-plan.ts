import { z } from "zod";
import { AppError } from "../../errors.ts";
import { NO_REASON, oneLine } from "../../json/upstream-error.ts";
import { type Principal, userIdOf } from "../../principal.ts";
import type { V1Request } from "../../protocol/agent-v1.ts";
import type { Asker } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import type { AskResult } from "../../relay/types.ts";
import { parseShape } from "../middleware/body.ts";
import type { WholeCompletion } from "./chat-completion.ts";
import { refuse } from "./refuse.ts";
import type { Threads } from "./threads.ts";

/** A plan for v1 agents: how they are asked for a chat completion. */
export interface V1Plan {
  request: V1Request;
  /** The agent that has the messages so far, if there is one. */
  pin: string | undefined;
  /** Returns the answer as a chat completion. */
  completion(result: AskResult): WholeCompletion;
  /** Resolves once any node can continue the chat of `completion`. Undefined if there is nothing to wait for. */
  shared(): Promise<unknown> | undefined;
}

export interface V1PlanDeps {
  relay: Pick<Relay, "isConnected">;
  threads: Pick<Threads, "get" | "keep">;
  newId: () => string;
  now: () => number;
}

/**
 * Returns the plan for v1 agents. It continues a known conversation if the chat's earlier messages are from
 * one, and otherwise sends the whole chat as one prompt. Throws an `AppError` for more than text.
 */
export function v1Plan(deps: V1PlanDeps, asker: Asker, chat: unknown): V1Plan {
  const plain = readPlainChat(chat);
  const owner = asker.principal;
  const known = plain.history.length > 0 ? deps.threads.get(threadKey(owner, plain.history)) : undefined;
  const thread = known && deps.relay.isConnected(known.agent) ? known : undefined;
  let shared: Promise<unknown> | undefined;
  return {
    shared: () => shared,
    pin: thread?.agent,
    request: {
      message_id: deps.newId(),
      conversation_id: thread?.conversation ?? "",
      parent_id: thread?.parent ?? deps.newId(),
      content: thread ? plain.question : promptOf(plain),
    },
    completion({ answer, agent, model }) {
      if (answer.kind !== "v1") throw new Error("not the answer of a v1 agent");
      const { content, conversation_id, response_id, error } = answer.answer;
      // A chat completion has no field for it.
      if (error !== "") throw new AppError("agent_failed", { extra: { err: oneLine(error) ?? NO_REASON } });
      if (conversation_id !== "") {
        const key = threadKey(owner, [...plain.messages, { role: "assistant", text: content }]);
        shared = deps.threads.keep(key, { conversation: conversation_id, parent: response_id, agent });
      }
      return completionOf(content, model, deps.newId(), Math.floor(deps.now() / 1000));
    },
  };
}

/** Returns a hash of all messages, in a form in which two different lists never look the same. */
function threadKey(owner: Principal, messages: readonly PlainMessage[]): string {
  const whole = JSON.stringify([userIdOf(owner), ...messages.flatMap(({ role, text }) => [role, text])]);
  return Bun.SHA256.hash(whole, "base64");
}

interface PlainMessage {
  role: string;
  text: string;
}

/** The part of a chat that a v1 agent can be sent: its text. */
interface PlainChat {
  messages: PlainMessage[];
  /** All messages before the last, which is the question. */
  history: PlainMessage[];
  question: string;
}

const Part = z.looseObject({ type: z.string(), text: z.string().nullish() });
const Message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(Part)]).nullish(),
  tool_calls: z.array(z.unknown()).nullish(),
});
const Chat = z.looseObject({
  messages: z.array(Message).min(1),
  tools: z.array(z.unknown()).nullish(),
  functions: z.array(z.unknown()).nullish(),
  n: z.number().nullish(),
  logprobs: z.boolean().nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
});
type Chat = z.output<typeof Chat>;

/** Reads a chat. Throws an `AppError` that names the field which a v1 agent cannot be sent. */
function readPlainChat(body: unknown): PlainChat {
  const chat = parseShape(Chat, body, "request_invalid");
  refuseMoreThanText(chat);
  const messages = chat.messages.map(({ role, content }, index) => ({ role, text: textOf(content, index) }));
  const question = messages.at(-1);
  if (question?.role !== "user" || question.text === "")
    throw refuse("messages", "The last message must be from the user and must not be empty.");
  return { messages, history: messages.slice(0, -1), question: question.text };
}

/** Returns the whole chat as one prompt, for an agent that has none of it. */
function promptOf({ messages, question }: PlainChat): string {
  if (messages.length === 1) return question;
  return messages.map(({ role, text }) => `${nameOf(role)}: ${text}`).join("\n\n");
}

/** Returns the answer as a chat completion. It has no usage, as nobody counted it. */
function completionOf(content: string, model: string, id: string, created: number): WholeCompletion {
  const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
  return { id: `chatcmpl-${id}`, object: "chat.completion", created, model, choices: [choice] };
}

function refuseMoreThanText(chat: Chat): void {
  if (chat.tools?.length) throw textOnly("tools", "tools");
  if (chat.functions?.length) throw textOnly("functions", "functions");
  if ((chat.n ?? 1) > 1) throw textOnly("n", "several answers at once");
  if (chat.logprobs) throw textOnly("logprobs", "log probabilities");
  if (chat.response_format && chat.response_format.type !== "text")
    throw textOnly("response_format", "structured output");
  for (const [index, { role, tool_calls }] of chat.messages.entries()) {
    if (role === "tool" || tool_calls?.length) throw textOnly(`messages[${index}]`, "tools");
  }
}

function textOf(content: Chat["messages"][number]["content"], index: number): string {
  if (typeof content === "string") return content.toWellFormed();
  const texts = (content ?? []).map(({ type, text }, part) => {
    if (type === "text" && typeof text === "string") return text.toWellFormed();
    throw textOnly(`messages[${index}].content[${part}]`, `\`${type.slice(0, 32)}\` content`);
  });
  return texts.join("\n");
}

function textOnly(param: string, feature: string): AppError {
  return refuse(param, `The agents that offer this model take text only. They do not support ${feature}.`);
}

function nameOf(role: string): string {
  if (role === "assistant") return "Assistant";
  return role === "user" ? "User" : "System";
}
