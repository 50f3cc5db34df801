import { AppError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { readUpstreamError, reasonOf } from "../json/upstream-error.ts";
import { CHAT_STREAM_END, ChatChunk, ChatCompletion } from "../protocol/chat.ts";
import type { Delta, ModelAnswer } from "./types.ts";

/** Returns a reader for the text of one chat completion, streamed or not. */
export function readChat(onText: (text: string) => void) {
  let text = "";
  let failure: string | undefined;
  const add = (more: string | null | undefined) => {
    if (!more) return;
    text += more;
    onText(more);
  };
  return {
    delta({ data }: Delta): void {
      if (data === CHAT_STREAM_END || failure !== undefined) return;
      const value = parseJson(data);
      const chunk = ChatChunk.safeParse(value).data;
      if (!chunk) failure = reasonOf(value) ?? "a chunk of the answer could not be read";
      else if (chunk.error || !chunk.choices)
        failure = reasonOf(value) ?? (chunk.error ? "unknown error" : undefined);
      else add(chunk.choices?.[0]?.delta?.content);
    },
    /** Returns the whole text; throws an `AppError` agent_failed if the upstream reported an error. */
    end({ status, body }: ModelAnswer): string {
      if (body !== undefined) {
        const completion = ChatCompletion.safeParse(parseJson(body)).data;
        if (status >= 300 || completion?.error || !completion?.choices)
          failure ??= readUpstreamError(body).message ?? `status ${status}`;
        else add(completion.choices[0]?.message?.content);
      }
      if (failure === undefined) return text.toWellFormed();
      throw new AppError("agent_failed", { extra: { err: failure }, upstream: { status, body } });
    },
  };
}
