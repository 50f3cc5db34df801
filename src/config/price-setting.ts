import { readFileSync } from "node:fs";
import { z } from "zod";
import { lostKeyPath } from "../lost-key.ts";
import { PriceList } from "../prices/price-list.ts";
import { fileErrorText } from "../system-error.ts";
import type { Kind } from "./kinds.ts";

const EXAMPLE = '{"currency":"EUR","models":{"gpt-*":{"input":2.5,"output":10}}}';

/** The prices of models: JSON, or the file that has it. */
export const prices: Kind<PriceList> = {
  value: "<file>",
  schema: z.string().transform((text, context): PriceList => {
    const refuse = (message: string) => {
      context.addIssue(message);
      return z.NEVER;
    };
    let json = text.trim();
    if (!json.startsWith("{")) {
      try {
        json = readFileSync(json, "utf8");
      } catch (error) {
        return refuse(`Give a file with prices, or the JSON itself. ${fileErrorText(error)}`);
      }
    }
    const parsed = parseOr(json);
    if (parsed === undefined) return refuse(`It is not JSON. Give prices such as ${EXAMPLE}.`);
    const lost = lostKeyPath(parsed);
    if (lost) return refuse(`${lost.join(".")} is not valid: give the model another name.`);
    const { data, error } = PriceList.safeParse(parsed);
    if (data) return Object.freeze(data);
    const [issue] = error.issues;
    const field = issue?.path.join(".") || "The JSON";
    return refuse(`${field} is not valid: ${issue?.message ?? "see the documentation"}.`);
  }),
  show: (list) => JSON.stringify(list),
};

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
