import { field } from "../json/parse.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { TOKENS_MAX } from "../protocol/agent-v2.ts";
import type { Spent } from "../store/store.ts";
import type { RequestTokens } from "./middleware/request-tokens.ts";
import { FALLBACK_LISTS } from "./models/names/fallbacks.ts";
import { deploymentOf } from "./path-aliases.ts";

export interface ReservationDeps {
  prices: Pick<PriceBook, "estimateNanos">;
  /** Returns the names of all models that agents offer. */
  offered: () => readonly string[];
}

/** A request that lists more models may be answered by any that agents offer. */
const LISTED_MAX = 100;

/**
 * Returns a function that prices the tokens of a request, by the dearest of the models that may answer it. It has no body,
 * which it would hold while the request waits.
 */
export function pricerOf(
  { prices, offered }: ReservationDeps,
  { url, json, form }: { url: string; json: unknown; form?: { model: string | undefined } | undefined },
): (tokens: RequestTokens) => Spent {
  const named = deploymentOf(url) ?? form?.model ?? field(json, "model");
  const listed = FALLBACK_LISTS.flatMap((list) => {
    const names = field(json, list);
    return Array.isArray(names) ? names : [];
  });
  const models =
    // Any agent may answer a question that names no model.
    typeof named !== "string" || named === "" || listed.length > LISTED_MAX
      ? undefined
      : [named, ...listed.filter((name) => typeof name === "string")];
  return ({ input, output }) => ({
    tokens: Math.min(input + output, TOKENS_MAX),
    costNanos: prices.estimateNanos(models ?? offered(), input, output),
  });
}
