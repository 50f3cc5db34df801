import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { CompletionChunk } from "../chunk.ts";
import { readShape } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { contentOf, messageBody } from "./answer.ts";
import { stopSequenceOf } from "./ending.ts";
import { chatRequest } from "./request.ts";
import { MessagesBody } from "./schema.ts";
import { createMessagesStream } from "./stream.ts";

/**
 * Translates a request of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages) for an
 * upstream that has only chat completions. Throws `request_untranslatable` for what a chat completion cannot
 * express, and `body_invalid` for a request that is not valid; both name the field in `param`. The model's
 * reasoning is shown to callers who have switched `thinking` on, as Anthropic does, and dropped for all
 * others.
 */
export function translateMessages(body: unknown, { newId }: TranslationContext): Translation {
  const request = readShape(MessagesBody, body, "");
  const thinking = request.thinking?.type;
  const options = {
    id: `msg_${newId()}`,
    model: request.model,
    showsThinking:
      (thinking === "enabled" || thinking === "adaptive") && request.thinking?.display !== "omitted",
    stopSequences: request.stop_sequences ?? [],
    newId,
  };
  return {
    request: chatRequest(request),
    answer: (chatBody) => JSON.stringify(wholeAnswer(chatBody, options)),
    stream: () => createMessagesStream(options),
  };
}

function wholeAnswer(chatBody: string, options: Parameters<typeof createMessagesStream>[0]) {
  const value = parseJson(chatBody);
  const completion = CompletionChunk.safeParse(value).data;
  const choice = completion?.choices[0];
  if (!completion || !choice?.message) {
    throw new AppError("agent_answer_invalid", { detail: "not the body of a chat completion" });
  }
  const { message } = choice;
  const ending = {
    finishReason: choice.finish_reason,
    called: Boolean(message.tool_calls?.length),
    refused: Boolean(message.refusal),
    stopSequence: stopSequenceOf(value, options.stopSequences),
  };
  const content = contentOf(message, options.showsThinking, options.newId);
  return messageBody(
    { id: options.id, model: completion.model || options.model },
    content,
    ending,
    completion.usage,
  );
}
