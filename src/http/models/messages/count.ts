import { AppError } from "../../../errors.ts";
import { field, parseJson } from "../../../json/parse.ts";
import { COUNT_ENDPOINT } from "../../../protocol/agent-v2.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { translateMessages } from "./translate.ts";

/** The fields of a chat completion that are about its answer only. No template reads them. */
const OF_ANSWER = {
  ...{ max_tokens: undefined, stream: undefined, stream_options: undefined, user: undefined },
  ...{ temperature: undefined, top_p: undefined, top_k: undefined, stop: undefined },
};

/**
 * Translates a request to count the tokens of a message for an upstream that counts those of the chat completion which
 * the same message would become. Throws `endpoint_unsupported` for what cannot be translated: clients estimate the
 * tokens themselves then.
 */
export function translateCount(body: unknown, context: TranslationContext): Translation {
  return {
    endpoint: COUNT_ENDPOINT,
    request: { ...chatOf(body, context), ...OF_ANSWER },
    added: [],
    answer(text) {
      const count = field(parseJson(text), "input_tokens");
      if (!Number.isSafeInteger(count))
        throw new AppError("agent_answer_invalid", { hint: "The agent's upstream sent no count of tokens." });
      return JSON.stringify({ input_tokens: count });
    },
    stream() {
      throw new Error("a count of tokens is not streamed");
    },
  };
}

function chatOf(body: unknown, context: TranslationContext): Record<string, unknown> {
  try {
    // A message must say how long its answer may be, and a request to count need not.
    return translateMessages({ ...Object(body), max_tokens: 1 }, context).request;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { param, hint = "" } = error;
    throw new AppError("endpoint_unsupported", {
      ...(param !== undefined && { param }),
      hint: `The tokens of this request cannot be counted. ${hint}`.trim(),
    });
  }
}
