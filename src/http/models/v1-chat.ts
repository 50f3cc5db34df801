import { z } from "zod";
import { AppError } from "../../errors.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";

/** What an agent of the reference's protocol can be told of a chat: words, and nothing but words. */
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

/** Throws an `AppError` that names the field which such an agent cannot be told of. */
export function readPlainChat(body: unknown): PlainChat {
  const { success, data: chat, error } = Chat.safeParse(body);
  if (!success) {
    const [issue] = error.issues;
    throw new AppError("request_invalid", {
      param: issue?.path.join(".") ?? "messages",
      hint: `${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`,
    });
  }
  refuseMoreThanWords(chat);
  const messages = chat.messages.map(({ role, content }, index) => ({ role, text: textOf(content, index) }));
  const question = messages.pop();
  if (question?.role !== "user" || question.text === "") {
    throw refusal("messages", "the last message must be the user's, with a text");
  }
  return { history: messages, question: question.text };
}

/** The whole chat in one prompt, for an agent that has none of it. */
export function promptOf({ history, question }: PlainChat): string {
  if (history.length === 0) return question;
  const lines = [...history, { role: "user", text: question }].map(
    ({ role, text }) => `${nameOf(role)}: ${text}`,
  );
  return lines.join("\n\n");
}

/** The answer as the body of a chat completion. No usage: nobody counted. */
export function completionOf(content: string, model: string, id: string, created: number): string {
  const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
  return JSON.stringify({
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created,
    model,
    choices: [choice],
  });
}

/** The same as the events of a streamed one: one piece. */
export function chunksOf(content: string, model: string, id: string, created: number): string[] {
  const chunk = (delta: object, finish_reason: string | null) =>
    JSON.stringify({
      id: `chatcmpl-${id}`,
      object: "chat.completion.chunk",
      created,
      model,
      choices: [{ index: 0, delta, finish_reason }],
    });
  return [chunk({ role: "assistant", content }, null), chunk({}, "stop"), CHAT_STREAM_END];
}

function refuseMoreThanWords(chat: Chat): void {
  if (chat.tools?.length) throw refusal("tools", "tools");
  if (chat.functions?.length) throw refusal("functions", "functions");
  if ((chat.n ?? 1) > 1) throw refusal("n", "several answers at once");
  if (chat.logprobs) throw refusal("logprobs", "log probabilities");
  if (chat.response_format && chat.response_format.type !== "text") {
    throw refusal("response_format", "structured output");
  }
  for (const [index, { role, tool_calls }] of chat.messages.entries()) {
    if (role === "tool" || tool_calls?.length) throw refusal(`messages.${index}`, "tools");
  }
}

function textOf(content: Chat["messages"][number]["content"], index: number): string {
  if (typeof content === "string") return content.toWellFormed();
  const texts = (content ?? []).map(({ type, text }, part) => {
    if (type === "text" && typeof text === "string") return text.toWellFormed();
    throw refusal(`messages.${index}.content.${part}`, `content of the type ${type.slice(0, 32)}`);
  });
  return texts.join("\n");
}

function refusal(param: string, what: string): AppError {
  const hint = `The agents that offer this model take text only, and cannot be told of ${what}.`;
  return new AppError("request_untranslatable", { param, hint });
}

function nameOf(role: string): string {
  if (role === "assistant") return "Assistant";
  return role === "user" ? "User" : "System";
}
