const CHAIN_LENGTH_MAX = 4;
const MESSAGE_LENGTH_MAX = 300;
const FRAMES_MAX = 12;

/**
 * What was thrown, for the log: names, codes, messages and where in the program it was, cause by cause. A
 * message that may quote what a caller or an agent sent is left out: that of a parser (`JSON.parse` quotes its
 * text), and whatever stands in double quotes in the others.
 */
export function causeOf(thrown: unknown): string {
  const told: string[] = [];
  for (let error = thrown; error !== undefined && told.length < CHAIN_LENGTH_MAX; ) {
    if (!(error instanceof Error)) {
      told.push(typeof error === "string" ? messageOf(error) : typeof error);
      break;
    }
    told.push(headOf(error));
    error = error.cause;
  }
  const frames = thrown instanceof Error ? framesOf(thrown) : "";
  return told.join(" < ") + frames;
}

function headOf(error: Error): string {
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

/** Without the message, whose own lines might look like places. */
function framesOf({ message, stack = "" }: Error): string {
  const frames = stack.replace(message, "").match(/^\s+at .+$/gm) ?? [];
  return frames
    .slice(0, FRAMES_MAX)
    .map((frame) => `\n    ${frame.trim()}`)
    .join("");
}
