const CHAIN_LENGTH_MAX = 4;
const MESSAGE_LENGTH_MAX = 300;
const FRAMES_MAX = 12;

/**
 * Describes what was thrown, for the log: names, codes, messages and the stack, cause by cause. What may
 * quote the text of a caller or an agent is left out: the message of a parser (`JSON.parse` quotes its
 * input), and anything in double quotes in other messages.
 */
export function causeOf(thrown: unknown): string {
  const parts: string[] = [];
  for (let error = thrown; error !== undefined && parts.length < CHAIN_LENGTH_MAX; ) {
    if (!(error instanceof Error)) {
      parts.push(typeof error === "string" ? messageOf(error) : typeof error);
      break;
    }
    parts.push(describe(error));
    error = error.cause;
  }
  const frames = thrown instanceof Error ? framesOf(thrown) : "";
  return parts.join(" < ") + frames;
}

function describe(error: Error): string {
  const { code } = error as { code?: unknown };
  const named = typeof code === "string" || typeof code === "number" ? `${error.name} (${code})` : error.name;
  return error instanceof SyntaxError ? named : `${named}: ${messageOf(error.message)}`;
}

function messageOf(text: string): string {
  return text
    .replaceAll(/"[^"]*("|$)/g, '"…"')
    .replaceAll(/\s+/g, " ")
    .slice(0, MESSAGE_LENGTH_MAX);
}

/** Returns the stack without the message, whose own lines might look like frames. */
function framesOf({ message, stack = "" }: Error): string {
  const frames = stack.replace(message, "").match(/^\s+at .+$/gm) ?? [];
  return frames
    .slice(0, FRAMES_MAX)
    .map((frame) => `\n    ${frame.trim()}`)
    .join("");
}
