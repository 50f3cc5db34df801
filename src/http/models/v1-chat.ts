import { z } from "zod";
import { AppError } from "../../errors.ts";
import { fieldHint } from "../errors/field-hint.ts";
import type { WholeCompletion } from "./chat-completion.ts";
import { refuse } from "./refuse.ts";

/** The part of a chat that a v1 agent can be sent: its text. */
export interface PlainChat {
  /** All messages before the question. */
  history: { role: string; text: string }[];
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
export function readPlainChat(body: unknown): PlainChat {
  const { success, data: chat, error } = Chat.safeParse(body);
  if (!success) {
    const [issue] = error.issues;
    const param = issue?.path.join(".") ?? "";
    throw new AppError("request_invalid", { param, hint: fieldHint(param, issue?.message) });
  }
  refuseMoreThanText(chat);
  const messages = chat.messages.map(({ role, content }, index) => ({ role, text: textOf(content, index) }));
  const question = messages.pop();
  if (question?.role !== "user" || question.text === "") {
    throw refuse("messages", "The last message must be from the user and must not be empty.");
  }
  return { history: messages, question: question.text };
}

/** Returns the whole chat as one prompt, for an agent that has none of it. */
export function promptOf({ history, question }: PlainChat): string {
  if (history.length === 0) return question;
  const lines = [...history, { role: "user", text: question }].map(
    ({ role, text }) => `${nameOf(role)}: ${text}`,
  );
  return lines.join("\n\n");
}

/** Returns the answer as a chat completion. It has no usage, as nobody counted it. */
export function completionOf(content: string, model: string, id: string, created: number): WholeCompletion {
  const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
  return { id: `chatcmpl-${id}`, object: "chat.completion", created, model, choices: [choice] };
}

function refuseMoreThanText(chat: Chat): void {
  if (chat.tools?.length) throw textOnly("tools", "tools");
  if (chat.functions?.length) throw textOnly("functions", "functions");
  if ((chat.n ?? 1) > 1) throw textOnly("n", "several answers at once");
  if (chat.logprobs) throw textOnly("logprobs", "log probabilities");
  if (chat.response_format && chat.response_format.type !== "text") {
    throw textOnly("response_format", "structured output");
  }
  for (const [index, { role, tool_calls }] of chat.messages.entries()) {
    if (role === "tool" || tool_calls?.length) throw textOnly(`messages.${index}`, "tools");
  }
}

function textOf(content: Chat["messages"][number]["content"], index: number): string {
  if (typeof content === "string") return content.toWellFormed();
  const texts = (content ?? []).map(({ type, text }, part) => {
    if (type === "text" && typeof text === "string") return text.toWellFormed();
    throw textOnly(`messages.${index}.content.${part}`, `\`${type.slice(0, 32)}\` content`);
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
