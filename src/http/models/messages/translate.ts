import { readShape } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { messageOf } from "./answer.ts";
import { chatRequest } from "./request.ts";
import { MessagesBody } from "./schema.ts";
import { MessagesStream } from "./stream.ts";

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
    answer: (chatBody) => JSON.stringify(messageOf(chatBody, options)),
    stream: () => new MessagesStream(options),
  };
}
