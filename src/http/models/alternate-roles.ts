import { field, textField } from "../../json/parse.ts";

const textPart = (text: string) => ({ type: "text", text });

/**
 * Returns the messages with those that follow each other and have the same role as one: templates such as
 * those of Mistral and Gemma insist that user and assistant alternate, and Codex CLI begins with two messages of
 * the user. Nothing is joined to a message with tool calls, since the results must follow at once.
 */
export function alternateRoles(messages: readonly object[]): object[] {
  const groups: object[][] = [];
  for (const message of messages) {
    const group = groups.at(-1);
    if (group && continues(group.at(-1), message)) group.push(message);
    else groups.push([message]);
  }
  return groups.map((group) => (group.length === 1 ? group[0] : joinMessages(group)) as object);
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
