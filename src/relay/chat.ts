import { AppError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { CHAT_STREAM_END, ChatChunk, ChatCompletion, errorMessage } from "../protocol/chat.ts";
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
      const chunk = ChatChunk.safeParse(parseJson(data)).data;
      if (!chunk) failure = "a chunk of the answer could not be read";
      else if (chunk.error) failure = errorMessage(chunk.error);
      else add(chunk.choices?.[0]?.delta?.content);
    },
    /** Returns the whole text; throws an `AppError` agent_failed if the upstream reported an error. */
    end({ status, body }: ModelAnswer): string {
      if (body !== undefined) {
        const completion = ChatCompletion.safeParse(parseJson(body)).data;
        if (completion?.error) failure ??= errorMessage(completion.error);
        else if (status >= 400 || !completion?.choices) failure ??= `status ${status}`;
        else add(completion.choices[0]?.message?.content);
      }
      if (failure === undefined) return text.toWellFormed();
      throw new AppError("agent_failed", { extra: { err: failure }, upstream: { status, body } });
    },
  };
}
