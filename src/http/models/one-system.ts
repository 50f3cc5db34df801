import { field } from "../../json/parse.ts";

const textPart = (text: string) => ({ type: "text", text });

/**
 * Returns the messages with at most one system message, which is the first. Chat templates of Qwen, Llama,
 * Gemma and Mistral refuse any other. System messages at the start are joined. A later one becomes text of the
 * user at its place: of the user's message before or after it, since some templates also refuse two messages
 * of the user in a row, or else a message of its own. Text between tool calls and their results comes after
 * the results, which must follow the calls at once.
 */
export function oneSystemMessage(messages: readonly object[]): object[] {
  const leading: string[] = [];
  const others: object[] = [];
  let waiting: string[] = [];
  for (const message of messages) {
    const role = field(message, "role");
    if (role === "system") (others.length === 0 ? leading : waiting).push(String(field(message, "content")));
    else if (waiting.length === 0 || role === "tool") others.push(message);
    else {
      others.push(...userText(others, waiting.join("\n\n"), message));
      waiting = [];
    }
  }
  if (waiting.length > 0) others.push(...userText(others, waiting.join("\n\n"), undefined));
  const system = leading.filter(Boolean).join("\n\n");
  return system ? [{ role: "system", content: system }, ...others] : others;
}

/** Adds the text to the last message if it is of the user. Returns the messages that come after `before`. */
function userText(before: object[], text: string, next: object | undefined): object[] {
  const after = next ? [next] : [];
  const last = before.at(-1);
  if (field(last, "role") === "user") {
    before.splice(-1, 1, { ...last, content: joined(field(last, "content"), text) });
    return after;
  }
  if (next && field(next, "role") === "user")
    return [{ ...next, content: joined(text, field(next, "content")) }];
  return [{ role: "user", content: text }, ...after];
}

/** Returns two contents as one: as a text if both are, and else as parts. */
function joined(first: unknown, second: unknown): unknown {
  if (typeof first === "string" && typeof second === "string")
    return [first, second].filter(Boolean).join("\n\n");
  return [first, second].flatMap((content) => (typeof content === "string" ? [textPart(content)] : content));
}
