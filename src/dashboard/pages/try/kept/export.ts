import { text } from "../../../texts/texts.ts";
import type { Answer, ChatSettings, Turn } from "../chat/types.ts";

/** Returns a conversation as Markdown, for people. */
export function toMarkdown(title: string, turns: readonly Turn[]): string {
  const parts = turns.flatMap(({ question, answers }) => [
    `## ${text("try.export.question")}`,
    question.text,
    ...question.images.map(({ name }) => `(${text("try.export.image", { name })})`),
    ...answers.flatMap((answer) => [
      `## ${answer.model}`,
      answer.text.text,
      ...(answer.error === undefined ? [] : [`> ${answer.error}`]),
    ]),
  ]);
  return `${[`# ${title}`, ...parts].filter((part) => part !== "").join("\n\n")}\n`;
}

/** Returns a conversation as JSON, with everything that is known of it. */
export function toJson(title: string, settings: ChatSettings, turns: readonly Turn[]): string {
  const { models: _, ...given } = settings;
  const file = {
    title,
    settings: given,
    turns: turns.map(({ question, answers }) => ({ question, answers: answers.map(answerOf) })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function answerOf({ text: answer, reasoning, at, hasText: _, ...rest }: Answer) {
  return {
    ...rest,
    at: new Date(at).toISOString(),
    text: answer.text,
    ...(reasoning.text !== "" && { reasoning: reasoning.text }),
  };
}

/** Returns a name for the file that every system takes. */
export function fileNameOf(title: string, extension: string): string {
  const name = title
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 60);
  return `${name || "conversation"}.${extension}`;
}

/** Lets the browser save a text as a file. */
export function download(name: string, type: string, content: string): void {
  const link = document.createElement("a");
  const url = URL.createObjectURL(new Blob([content], { type }));
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
