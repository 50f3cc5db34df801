import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { ChatPiece } from "../chunk.ts";
import { read } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { contentOf, messageBody } from "./answer.ts";
import { stopSequenceOf } from "./ending.ts";
import { chatRequest } from "./request.ts";
import { MessagesBody } from "./schema.ts";
import { createMessagesStream } from "./stream.ts";

/**
 * A request of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages) for an upstream
 * that has chat completions only. What cannot be kept throws `request_untranslatable`, and what is no such
 * request `body_invalid`; both name the field in `param`. The model's reasoning is shown to a caller that
 * has switched `thinking` on, as Anthropic does, and dropped for all others.
 */
export function translateMessages(body: unknown, { newId }: TranslationContext): Translation {
  const request = read(MessagesBody, body, "");
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
  const piece = ChatPiece.safeParse(value).data;
  const choice = piece?.choices[0];
  if (!piece || !choice?.message) {
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
  return messageBody({ id: options.id, model: piece.model || options.model }, content, ending, piece.usage);
}
