import { field, textField } from "../../json/parse.ts";

const textPart = (text: string) => ({ type: "text", text });

/**
 * Returns the messages with those that follow each other and have the same role as one: templates such as
 * those of Mistral and Gemma insist that user and assistant alternate, and Codex CLI begins with two messages of
 * the user. Nothing is joined to a message with tool calls, since the results must follow at once.
 */
export function alternateRoles(messages: readonly object[]): object[] {
  const turns: object[][] = [];
  for (const message of messages) {
    const turn = turns.at(-1);
    if (turn && continues(turn.at(-1), message)) turn.push(message);
    else turns.push([message]);
  }
  return turns.map((turn) => (turn.length === 1 ? turn[0] : joinMessages(turn)) as object);
}

function continues(last: unknown, next: object): boolean {
  const role = field(last, "role");
  if (role !== field(next, "role")) return false;
  return role === "user" || (role === "assistant" && field(last, "tool_calls") === undefined);
}

function joinMessages(messages: readonly object[]): object {
  const content = joinContents(messages.map((message) => field(message, "content")));
  const reasonings = messages.map((message) => textField(message, "reasoning_content"));
  const reasoning = reasonings.filter(Boolean).join("\n\n");
  return { ...messages[0], ...messages.at(-1), content, ...(reasoning && { reasoning_content: reasoning }) };
}

/** Returns contents as one: as a text if all are texts, and else as parts. */
function joinContents(given: readonly unknown[]): unknown {
  const contents = given.filter((content) => content != null && content !== "");
  if (contents.length < 2) return contents[0] ?? given.at(-1);
  if (contents.every((content) => typeof content === "string")) return contents.join("\n\n");
  return contents.flatMap((content) => (typeof content === "string" ? [textPart(content)] : content));
}
