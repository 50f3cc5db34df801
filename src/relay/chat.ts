import { AppError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { readUpstreamError } from "../json/upstream-error.ts";
import { CHAT_STREAM_END, ChatAnswer, isChat, isPing } from "../protocol/chat.ts";
import { endingFault, failureOf, NO_ANSWER, strangeData } from "../protocol/chat-ending.ts";
import { readParts } from "../protocol/chat-parts.ts";
import type { Delta, ModelAnswer } from "./types.ts";

/** Returns a reader for the text of one chat completion, streamed or not. */
export function readChat(onText: (text: string) => void) {
  let text = "";
  let hasChoice = false;
  let failure: string | undefined;
  /** Reads a chunk or a whole answer. A chunk may have no choices. */
  const read = (value: unknown, isWhole: boolean) => {
    const chat = isChat(value) ? ChatAnswer.safeParse(value).data : undefined;
    const choice = chat?.choices?.find(({ index }) => !index);
    const failed =
      failureOf(value) ?? endingFault(choice?.finish_reason) ?? (chat ? undefined : strangeData(value));
    failure ??= failed?.message;
    if (!choice || failure !== undefined) return;
    const part =
      choice.delta ?? choice.message ?? (choice.text == null ? undefined : { content: choice.text });
    hasChoice ||= !isWhole || part !== undefined;
    const more = readParts(part?.content).text;
    if (more === "") return;
    text += more;
    onText(more);
  };
  return {
    delta({ data, event }: Delta): void {
      if (data === CHAT_STREAM_END || failure !== undefined) return;
      const value = parseJson(data);
      if (!isPing(event, value)) read(value, false);
    },
    /** Returns the whole text; throws an `AppError` agent_failed if the upstream gave no answer. */
    end({ status, body }: ModelAnswer): string {
      if (status >= 300) failure ??= readUpstreamError(body ?? "").message ?? `status ${status}`;
      else if (body !== undefined) read(parseJson(body), true);
      if (!hasChoice) failure ??= NO_ANSWER;
      if (failure === undefined) return text.toWellFormed();
      throw new AppError("agent_failed", { extra: { err: failure }, upstream: { status, body } });
    },
  };
}
