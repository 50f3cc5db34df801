import { field } from "../../json/parse.ts";
import { alternateRoles } from "./alternate-roles.ts";

/**
 * Returns the messages as chat templates take them: at most one system message, which is the first, and then
 * user and assistant, who alternate. Templates of Qwen, Llama, Gemma and Mistral refuse any other system
 * message. System messages at the start are joined. A later one becomes text of the user at its place. Text
 * between tool calls and their results comes after the results, which must follow the calls at once.
 */
export function oneSystemMessage(messages: readonly object[]): object[] {
  const leading: string[] = [];
  const others: object[] = [];
  let waiting: string[] = [];
  const addWaiting = () => {
    if (waiting.length > 0) others.push({ role: "user", content: waiting.join("\n\n") });
    waiting = [];
  };
  for (const message of messages) {
    const role = field(message, "role");
    if (role === "system") {
      const content = String(field(message, "content"));
      if (content !== "") (others.length === 0 ? leading : waiting).push(content);
    } else {
      if (role !== "tool") addWaiting();
      others.push(message);
    }
  }
  addWaiting();
  const system = leading.join("\n\n");
  const alternating = alternateRoles(others);
  return system ? [{ role: "system", content: system }, ...alternating] : alternating;
}
