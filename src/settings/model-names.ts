import { z } from "zod";
import { PRINTABLE } from "../printable.ts";

/** Together with the bounds of a value's length, they keep each look-up and each list of models short. */
const MODELS_MAX = 1_000;
const FALLBACKS_MAX = 16;
const NAME_LENGTH_MAX = 256;

const name = z
  .string()
  .min(1)
  .max(NAME_LENGTH_MAX)
  .regex(PRINTABLE, "must be without control characters")
  .regex(/^\S(.*\S)?$/u, "must not begin or end with a blank");

const byModel = <Value extends z.ZodType>(value: Value) =>
  z
    .record(name, value)
    .refine(
      (entries) => Object.keys(entries).length <= MODELS_MAX,
      `must have at most ${MODELS_MAX} entries`,
    );

/**
 * The model by each alias. As with the flag, an alias may be the name of a model, which it then hides, and it may name a
 * model that no agent offers yet. It is not looked up again, so aliases in a circle do no harm.
 */
export const aliasesSchema = byModel(name).superRefine((aliases, context) => {
  for (const [alias, model] of Object.entries(aliases)) {
    if (alias === model)
      context.addIssue({ code: "custom", path: [alias], message: "must name another model" });
  }
});

/** The models to use, in order, when a model cannot answer. They may be models that no agent offers yet. */
export const fallbacksSchema = byModel(z.array(name).min(1).max(FALLBACKS_MAX)).superRefine(
  (fallbacks, context) => {
    for (const [model, others] of Object.entries(fallbacks)) {
      const isOwn = others.includes(model);
      if (!isOwn && new Set(others).size === others.length) continue;
      const message = isOwn ? "must name other models" : "must name each model once";
      context.addIssue({ code: "custom", path: [model], message });
    }
  },
);
