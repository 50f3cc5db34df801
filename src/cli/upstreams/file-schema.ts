import { z } from "zod";
import type { Kind } from "../../config/kinds.ts";
import { SETTINGS } from "../../config/settings.ts";
import { ENDPOINTS } from "../../protocol/agent-v2.ts";

const SCALAR_HINT = "Give a text, a number, or true or false.";
const LIST_HINT = "Give a text, a number, true or false, or a list of texts.";
const Scalar = z.union([z.string(), z.number(), z.boolean()], SCALAR_HINT);
const Value = z.union([Scalar, z.array(Scalar).min(1).max(1000)], LIST_HINT);
type Scalar = z.output<typeof Scalar>;

/** A value of the file as a flag would have it. */
function textOf(value: Scalar): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** A value of a setting in the file, as the text of its flag. Lists are for settings whose flag may be repeated. */
export function settingText(many: string | undefined) {
  if (many === undefined) return Scalar.transform(textOf);
  return Value.transform((value) => [value].flat().map(textOf).join(many));
}

/** Returns the schema of a kind for a text that is there. */
function fromText<Output>(kind: Kind<Output>) {
  return kind.schema as z.ZodType<Output, string>;
}

const one = <Item>(kind: Kind<readonly Item[]>, hint: string) =>
  Scalar.transform(textOf)
    .pipe(fromText(kind))
    .refine((items) => items.length === 1, hint)
    .transform(([item]) => item as Item);
const many = <Item>(kind: Kind<Item>) => settingText(",").pipe(fromText(kind));
const { upstreams, upstreamKeys, slots, models, endpoints, name, priority, weight, tags } = SETTINGS;
const Text = z.string("Give a text.").min(1, "Give a text.");

/** The table of one upstream. Its names are those of the flags. */
export const UpstreamTable = z.strictObject({
  url: one(present(upstreams), "Give one base URL.").optional(),
  name: Text.pipe(fromText(present(name))).optional(),
  key: one(present(upstreamKeys), "Give one key.").optional(),
  "key-file": Text.optional(),
  slots: one(slots, "Give one number, or auto.").optional(),
  model: many(present(models)).optional(),
  endpoint: many(present(endpoints))
    .pipe(z.array(z.enum(ENDPOINTS, `Give some of: ${ENDPOINTS.join(", ")}.`)).readonly())
    .optional(),
  priority: Scalar.transform(textOf).pipe(fromText(priority)).optional(),
  weight: Scalar.transform(textOf).pipe(fromText(weight)).optional(),
  tag: many(present(tags)).optional(),
});
export type UpstreamTable = z.output<typeof UpstreamTable>;

/** Returns the kind of an optional setting, for a value that is there. */
function present<Value>(kind: Kind<Value | undefined>): Kind<Value> {
  return kind as Kind<Value>;
}
