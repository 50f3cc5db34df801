import { readShape } from "../refuse.ts";
import type { RecalledInput } from "./recall.ts";
import { InputItem, type ResponsesBody } from "./schema.ts";

/** Returns the request with the settings of its items `configuration_update`, of which the last ones count. */
export function withConfiguration(body: ResponsesBody, { earlier, own }: RecalledInput): ResponsesBody {
  let { reasoning, text } = body;
  for (const [index, item] of [...earlier, ...own].entries()) {
    if (item.type !== "configuration_update") continue;
    const update = readShape(InputItem.configuration_update, item, `input[${index - earlier.length}]`);
    if (update.reasoning) reasoning = update.reasoning;
    if (update.text) text = update.text;
  }
  return { ...body, reasoning, text };
}
