import type { StreamedText } from "../chat/streamed-text.ts";
import { createStreamedText } from "../chat/streamed-text.ts";
import { type Answer, type ChatSettings, EMPTY_SETTINGS, isRunning, type Turn } from "../chat/types.ts";

/** A conversation as the list of them shows it. */
export interface ChatEntry {
  id: string;
  /** Who had the conversation, as `identityOf` names them. */
  owner: string;
  title: string;
  /** When it was last changed, in milliseconds since 1970. */
  at: number;
  /** About how many characters it has. */
  length: number;
}

/** An answer as it is kept: its texts are complete. */
type KeptAnswer = Omit<Answer, "text" | "reasoning"> & { text: string; reasoning: string };

export interface ChatBody {
  id: string;
  settings: ChatSettings;
  turns: readonly (Omit<Turn, "answers"> & { answers: readonly KeptAnswer[] })[];
}

/** Stands for any time of the last change. Nothing is read then, for which a page that closes has no time. */
export const ANY_TIME = -1;

/** Returns an id for a new conversation. */
export function newChatId(): string {
  // `crypto.randomUUID` is for pages with TLS only.
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TITLE_LENGTH_MAX = 60;

/** Returns a title for a conversation that nobody has named: the beginning of its first question. */
export function titleOf(turns: readonly Turn[]): string {
  const line = turns[0]?.question.text.trim().split("\n")[0] ?? "";
  return line.length > TITLE_LENGTH_MAX ? `${line.slice(0, TITLE_LENGTH_MAX - 1).trimEnd()}…` : line;
}

export function toBody(id: string, settings: ChatSettings, turns: readonly Turn[]): ChatBody {
  return {
    id,
    settings,
    turns: turns.map((turn) => ({
      ...turn,
      answers: turn.answers.map((answer) => ({
        ...answer,
        text: answer.text.text,
        reasoning: answer.reasoning.text,
      })),
    })),
  };
}

/** Returns the turns of a kept conversation. An answer that was running then has been stopped since. */
export function turnsOf({ turns }: ChatBody): Turn[] {
  return turns.map((turn) => ({
    ...turn,
    answers: turn.answers.map((kept): Answer => {
      const answer = { ...kept, text: streamed(kept.text), reasoning: streamed(kept.reasoning) };
      return isRunning(answer) ? { ...answer, state: "stopped" } : answer;
    }),
  }));
}

/** Returns the settings of a kept conversation. Those that an earlier version of the page did not have are empty. */
export function settingsOf({ settings }: ChatBody): ChatSettings {
  return { ...EMPTY_SETTINGS, ...settings };
}

function streamed(text: string): StreamedText {
  const made = createStreamedText();
  made.append(text);
  return made;
}

export function lengthOf({ turns }: ChatBody): number {
  let length = 0;
  for (const { question, answers } of turns) {
    length += question.text.length;
    for (const { url } of question.images) length += url.length;
    for (const { text, reasoning } of answers) length += text.length + reasoning.length;
  }
  return length;
}

const CHATS_MAX = 100;
const LENGTH_MAX = 50_000_000;

/** Returns the conversations that have no room beside newer ones. `entries` are of one owner, newest first. */
export function withoutRoom(entries: readonly ChatEntry[]): ChatEntry[] {
  let length = 0;
  return entries.filter((entry, index) => {
    length += entry.length;
    // The newest one stays, whatever its length is.
    return index > 0 && (index >= CHATS_MAX || length > LENGTH_MAX);
  });
}
