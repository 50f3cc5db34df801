import type { Caller } from "../auth/callers.ts";
import { hasMoneyBudget } from "../auth/limits/user-budgets.ts";
import { field } from "../json/parse.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { TOKENS_MAX } from "../protocol/agent-v2.ts";
import type { Spent } from "../store/store.ts";
import type { RequestTokens } from "./middleware/request-tokens.ts";
import { FALLBACK_LISTS } from "./models/names/fallbacks.ts";
import { deploymentOf } from "./path-aliases.ts";

export interface ReservationDeps {
  prices: Pick<PriceBook, "currency" | "estimateNanos">;
  /** Returns the names of all models that agents offer. */
  offered: () => readonly string[];
}

/** A request that lists more models may be answered by any that agents offer. */
const LISTED_MAX = 100;

interface PricedRequest {
  caller: Pick<Caller, "allowance">;
  url: string;
  json: unknown;
  form?: { model: string | undefined } | undefined;
}

/**
 * Returns a function that prices the tokens of a request, by the dearest of the models that may answer it. A request
 * of a user without a budget, and any request where no model has a price, costs nothing. The function holds nothing of the
 * body.
 */
export function pricerOf(deps: ReservationDeps, request: PricedRequest): (tokens: RequestTokens) => Spent {
  const { allowance } = request.caller;
  const isPriced = deps.prices.currency !== null && allowance !== null && hasMoneyBudget(allowance);
  return createPricer(deps, isPriced ? modelsOf(request) : []);
}

/** Returns the models that may answer the request; undefined for all. */
function modelsOf({ url, json, form }: PricedRequest): readonly string[] | undefined {
  const named = deploymentOf(url) ?? form?.model ?? field(json, "model");
  const listed = FALLBACK_LISTS.flatMap((list) => {
    const names = field(json, list);
    return Array.isArray(names) ? names : [];
  });
  // Any agent may answer a question that names no model.
  if (typeof named !== "string" || named === "" || listed.length > LISTED_MAX) return undefined;
  return [named, ...listed.filter((name) => typeof name === "string")];
}

/** A function holds all variables around it that any other function there uses, so the body is not one of them. */
const createPricer =
  ({ prices, offered }: ReservationDeps, models: readonly string[] | undefined) =>
  ({ input, output }: RequestTokens): Spent => ({
    tokens: Math.min(input + output, TOKENS_MAX),
    costNanos: prices.estimateNanos(models ?? offered(), input, output),
  });
