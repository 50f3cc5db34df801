import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { CHAT_STREAM_END } from "../../../protocol/chat.ts";
import { openaiError } from "../../errors/openai.ts";
import { ChatFailure, ChatPiece } from "../chunk.ts";
import type { PlanStream } from "../plan.ts";
import { read } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { type Answer, createAnswer } from "./answer.ts";
import { chatRequest } from "./request.ts";
import { ResponsesBody } from "./schema.ts";
import { readTools } from "./tools.ts";

/**
 * A request of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses) for an
 * upstream that has chat completions only. Tools of type `function`, `custom` and `namespace` are kept; what
 * needs something that OpenAI keeps or runs itself throws `request_untranslatable`, and what is no such
 * request `body_invalid`; both name the field in `param`. Nothing is stored: the answer says `store: false`.
 */
export function translateResponses(body: unknown, context: TranslationContext): Translation {
  const request = read(ResponsesBody, body, "");
  const tools = readTools(request);
  const start = () => createAnswer(request, tools, context);
  return {
    request: chatRequest(request, tools),
    answer: (chatBody) => wholeAnswer(start(), chatBody),
    stream: () => streamedAnswer(start()),
  };
}

function wholeAnswer(answer: Answer, chatBody: string): string {
  const piece = ChatPiece.safeParse(parseJson(chatBody));
  if (!piece.success || piece.data.choices.length === 0) {
    throw new AppError("agent_answer_invalid", { detail: "not the body of a chat completion" });
  }
  answer.write(piece.data);
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
        const piece = ChatPiece.safeParse(value);
        if (!piece.success) return answer.fail(NO_CHUNK);
        answer.write(piece.data);
      }),
    end: () => once(() => answer.finish()),
    fail: (error, requestId) => once(() => answer.fail(openaiError(error, requestId))),
  };
}

const NO_CHUNK = { message: "The agent's upstream has sent what is no chat completion.", code: null };

function failureOf({ error: { message, type, code } }: ChatFailure) {
  // Codex CLI decides by the code, and upstreams that have none put it into the type.
  return { message, code: typeof code === "string" ? code : (type ?? null) };
}
