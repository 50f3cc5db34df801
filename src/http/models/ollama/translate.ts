import { readShape, refuse } from "../refuse.ts";
import { callIdsIn } from "../tool-calls.ts";
import { streamFields, type Translation, type TranslationContext, withoutNulls } from "../translation.ts";
import { type AnswerOptions, answerOf } from "./answer.ts";
import { chatMessages, contentOf } from "./history.ts";
import { ADDED, parametersOf, reasoningOf, responseFormat } from "./options.ts";
import { ChatBody, GenerateBody } from "./schema.ts";
import { OllamaStream } from "./stream.ts";

/**
 * Translates a request to Ollama's `/api/chat` for an upstream that has only chat completions. Throws
 * `request_untranslatable` for what a chat completion cannot express, and `body_invalid` for a request that is not valid;
 * both name the field in `param`. `keep_alive`, and options that no word of the answer depends on, are left out.
 */
export function translateChat(body: unknown, context: TranslationContext): Translation {
  const request = readShape(ChatBody, body, "");
  const tools = request.tools?.map((tool) => ({ ...tool, type: "function" }));
  const chat = {
    model: request.model,
    messages: chatMessages(request.messages ?? []),
    ...(tools?.length && { tools }),
    ...chatFields(request),
  };
  return translation(chat, { request, isChat: true }, context);
}

/**
 * Translates a request to Ollama's `/api/generate` likewise: to a chat completion, or to a completion if the prompt is to
 * be used as it is (`raw`), or has a `suffix`.
 */
export function translateGenerate(body: unknown, context: TranslationContext): Translation {
  const request = readShape(GenerateBody, body, "");
  if (request.template) throw refuse("template", "Templates are the upstream's. Use `raw`, or leave it out.");
  if (request.context?.length) {
    const reason = "Only an Ollama knows these numbers. Send the conversation to `/api/chat`.";
    throw refuse("context", reason);
  }
  if (request.raw || request.suffix)
    return {
      ...translation(completionOf(request), { request, isChat: false }, context),
      endpoint: "completions",
    };
  const { system, prompt, images } = request;
  const chat = {
    model: request.model,
    messages: [
      ...(system ? [{ role: "system", content: system }] : []),
      { role: "user", content: contentOf(prompt ?? "", images, "images") },
    ],
    ...chatFields(request),
  };
  return translation(chat, { request, isChat: false }, context);
}

/** Returns the fields that do not depend on whether the request is a chat. */
function chatFields(request: ChatBody | GenerateBody): Record<string, unknown> {
  return {
    ...parametersOf(request.options),
    ...reasoningOf(request),
    ...responseFormat(request),
    ...withoutNulls({ logprobs: request.logprobs || null, top_logprobs: request.top_logprobs }),
    ...streamFields(request.stream ?? true),
  };
}

/** Returns the body of a completion. */
function completionOf(request: GenerateBody): Record<string, unknown> {
  const { raw, system, images, format, logprobs } = request;
  const because = raw ? "`raw`" : "`suffix`";
  const refuseIf = (isGiven: boolean, param: string) => {
    if (isGiven) throw refuse(param, `A completion, which ${because} needs, cannot have it.`);
  };
  refuseIf(Boolean(images?.length), "images");
  refuseIf(Boolean(format), "format");
  refuseIf(Boolean(logprobs), "logprobs");
  // Ollama itself leaves it out of a raw prompt.
  refuseIf(!raw && Boolean(system), "system");
  return {
    model: request.model,
    prompt: request.prompt ?? "",
    ...(request.suffix && { suffix: request.suffix }),
    ...parametersOf(request.options),
    ...streamFields(request.stream ?? true),
  };
}

interface Translated {
  request: ChatBody | GenerateBody;
  isChat: boolean;
}

function translation(
  chat: Record<string, unknown>,
  { request, isChat }: Translated,
  { now }: TranslationContext,
): Translation {
  const options: AnswerOptions = {
    ...{ model: request.model, isChat, now, beganAt: now() },
    showsThinking: request.think !== false,
    takenIds: callIdsIn(chat["messages"]),
  };
  return {
    request: chat,
    added: ADDED,
    answer: (body, model = request.model) => JSON.stringify(answerOf(body, { ...options, model })),
    stream: (model = request.model) => new OllamaStream({ ...options, model }),
  };
}
