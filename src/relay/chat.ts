import { AppError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { readUpstreamError, reasonOf } from "../json/upstream-error.ts";
import { CHAT_STREAM_END, ChatChunk, ChatCompletion } from "../protocol/chat.ts";
import { endingFault, failureOf } from "../protocol/chat-ending.ts";
import { readParts } from "../protocol/chat-parts.ts";
import type { Delta, ModelAnswer } from "./types.ts";

/** Returns a reader for the text of one chat completion, streamed or not. */
export function readChat(onText: (text: string) => void) {
  let text = "";
  let failure: string | undefined;
  const add = (content: unknown) => {
    const more = readParts(content).text;
    if (more === "") return;
    text += more;
    onText(more);
  };
  return {
    delta({ data }: Delta): void {
      if (data === CHAT_STREAM_END || failure !== undefined) return;
      const value = parseJson(data);
      const chunk = ChatChunk.safeParse(value).data;
      const [choice] = chunk?.choices ?? [];
      const failed = failureOf(value) ?? endingFault(choice?.finish_reason);
      if (failed) failure = failed.message;
      else if (!chunk) failure = reasonOf(value) ?? "a chunk of the answer could not be read";
      else if (!chunk.choices) failure = reasonOf(value);
      else add(choice?.delta?.content);
    },
    /** Returns the whole text; throws an `AppError` agent_failed if the upstream reported an error. */
    end({ status, body }: ModelAnswer): string {
      if (body !== undefined) {
        const value = parseJson(body);
        const completion = ChatCompletion.safeParse(value).data;
        const [choice] = completion?.choices ?? [];
        const failed = failureOf(value) ?? endingFault(choice?.finish_reason);
        if (status >= 300 || !completion?.choices)
          failure ??= readUpstreamError(body).message ?? `status ${status}`;
        else if (failed) failure ??= failed.message;
        else add(choice?.message?.content);
      }
      if (failure === undefined) return text.toWellFormed();
      throw new AppError("agent_failed", { extra: { err: failure }, upstream: { status, body } });
    },
  };
}
