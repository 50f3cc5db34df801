import { readShape } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { chatRequest } from "./request.ts";
import { ResponsesBody } from "./schema.ts";
import { ResponsesStream } from "./stream.ts";
import { Tools } from "./tools.ts";

/**
 * Translates a request of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses)
 * for an upstream that has only chat completions. Tools of the types `function`, `custom` and `namespace` are
 * kept. Throws `request_untranslatable` for what needs something that OpenAI keeps or runs itself, and
 * `body_invalid` for a request that is not valid; both name the field in `param`. Nothing is stored: the
 * answer says `store: false`.
 */
export function translateResponses(body: unknown, context: TranslationContext): Translation {
  const request = readShape(ResponsesBody, body, "");
  const tools = new Tools(request);
  const start = () => new ResponsesStream(request, tools, context);
  return {
    request: chatRequest(request, tools),
    answer: (chatBody) => JSON.stringify(start().whole(chatBody)),
    stream: start,
  };
}
