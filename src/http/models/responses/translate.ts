import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { CHAT_STREAM_END } from "../../../protocol/chat.ts";
import { openaiError } from "../../errors/openai.ts";
import { ChatFailure, CompletionChunk } from "../chunk.ts";
import type { PlanStream } from "../plan.ts";
import { readShape } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { type Answer, createAnswer } from "./answer.ts";
import { chatRequest } from "./request.ts";
import { ResponsesBody } from "./schema.ts";
import { readTools } from "./tools.ts";

/**
 * Translates a request of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses)
 * for an upstream that has only chat completions. Tools of the types `function`, `custom` and `namespace` are
 * kept. Throws `request_untranslatable` for what needs something that OpenAI keeps or runs itself, and
 * `body_invalid` for a request that is not valid; both name the field in `param`. Nothing is stored: the
 * answer says `store: false`.
 */
export function translateResponses(body: unknown, context: TranslationContext): Translation {
  const request = readShape(ResponsesBody, body, "");
  const tools = readTools(request);
  const start = () => createAnswer(request, tools, context);
  return {
    request: chatRequest(request, tools),
    answer: (chatBody) => wholeAnswer(start(), chatBody),
    stream: () => streamedAnswer(start()),
  };
}

function wholeAnswer(answer: Answer, chatBody: string): string {
  const completion = CompletionChunk.safeParse(parseJson(chatBody));
  if (!completion.success || completion.data.choices.length === 0) {
    throw new AppError("agent_answer_invalid", { detail: "not the body of a chat completion" });
  }
  answer.write(completion.data);
  answer.finish();
  return JSON.stringify(answer.response());
}

function streamedAnswer(answer: Answer): PlanStream {
  const once = (act: () => void) => {
    if (!answer.ended()) act();
    return answer.take();
  };
  return {
    push: ({ data }) =>
      once(() => {
        if (data === CHAT_STREAM_END) return answer.finish();
        const value = parseJson(data);
        const failure = ChatFailure.safeParse(value);
        if (failure.success) return answer.fail(failureOf(failure.data));
        const chunk = CompletionChunk.safeParse(value);
        if (!chunk.success) return answer.fail(NOT_A_CHUNK);
        answer.write(chunk.data);
      }),
    end: () => once(() => answer.finish()),
    fail: (error, requestId) => once(() => answer.fail(openaiError(error, requestId))),
  };
}

const NOT_A_CHUNK = {
  message: "The agent's upstream sent something that is not a chat completion.",
  code: null,
};

function failureOf({ error: { message, type, code } }: ChatFailure) {
  // Codex CLI decides by the code. Upstreams without codes put it into the type.
  return { message, code: typeof code === "string" ? code : (type ?? null) };
}
