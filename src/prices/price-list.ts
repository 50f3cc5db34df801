import { z } from "zod";
import { AMOUNT_MAX, isAmount, isCurrency } from "./money.ts";

const MODELS_MAX = 1_000;
const NAME_LENGTH_MAX = 256;

const amount = z
  .number("give a number")
  .refine(isAmount, `give a number from 0 to ${AMOUNT_MAX}, with at most six decimal places`);

/** The prices of a model, in units of the currency. */
const PRICES = {
  input: amount.optional().describe("1 M input tokens. Default: 0."),
  output: amount.optional().describe("1 M output tokens. Default: 0."),
  cached_input: amount
    .optional()
    .describe("1 M input tokens that the upstream read from its prompt cache. Default: as `input`."),
  cache_write: amount
    .optional()
    .describe("1 M input tokens that the upstream wrote to its prompt cache. Default: as `input`."),
  hour: amount
    .optional()
    .describe(
      "An hour in which an agent works on one request, from when it is sent until it ends. Default: 0.",
    ),
  audio_minute: amount
    .optional()
    .describe("A minute of audio that is transcribed or translated. Default: 0."),
  image: amount.optional().describe("An image that is made. Default: 0."),
};

export const ModelPrice = z
  .strictObject(PRICES)
  .refine((price) => Object.values(price).some((value) => value !== undefined), "give at least one price");

const MODEL_NAME = /^[^\p{Cc}*]*\*?$/u;

/** Returns what is wrong with the name of a model, if anything is. */
function nameFault(name: string): string | undefined {
  if (name.length === 0 || name.length > NAME_LENGTH_MAX)
    return `give a name of 1 to ${NAME_LENGTH_MAX} characters`;
  return MODEL_NAME.test(name)
    ? undefined
    : "give a name without control characters. A * may stand at its end";
}

/**
 * The prices of models, by name or alias. `gpt-*` is the price of every model whose name begins with `gpt-`, unless there
 * is a price of its own name or of a longer beginning.
 */
export const PriceList = z.strictObject({
  currency: z
    .string()
    .refine(isCurrency, "give a currency of ISO 4217, such as EUR")
    .describe("The currency, by its code of ISO 4217."),
  models: z.record(z.string(), ModelPrice).superRefine((models, context) => {
    const names = Object.keys(models);
    if (names.length > MODELS_MAX) context.addIssue(`give the prices of at most ${MODELS_MAX} models`);
    const wrong = names.find(nameFault);
    if (wrong === undefined) return;
    context.addIssue({ code: "custom", path: [wrong.slice(0, NAME_LENGTH_MAX)], message: nameFault(wrong) });
  }),
});

export type ModelPrice = z.output<typeof ModelPrice>;
export type PriceList = z.output<typeof PriceList>;

/** Stands for no prices: without a model, the currency means nothing. */
export const NO_PRICES: PriceList = { currency: "EUR", models: {} };
