import { field } from "../../../json/parse.ts";

/** Whether an item of the input only names another one by its id. OpenAI's API lets it leave out its type, or set it to null. */
export function isReference(item: unknown): boolean {
  const type = field(item, "type");
  if (type != null) return type === "item_reference";
  return typeof field(item, "id") === "string" && field(item, "role") === undefined;
}
