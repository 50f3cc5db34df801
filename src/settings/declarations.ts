import { z } from "zod";
import type { Config } from "../config/settings.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../durations.ts";
import { NO_PRICES, PriceList } from "../prices/price-list.ts";
import { type Changeable, changeable } from "./changeable.ts";
import { aliasesSchema, fallbacksSchema } from "./model-names.ts";
import { webhook } from "./webhook.ts";

type NumberName = {
  [Name in keyof Config]: Config[Name] extends number ? Name : never;
}[keyof Config];

/** A whole number, with the bounds of its flag. Times are in milliseconds. */
const whole = (name: NumberName, min: number, max: number) =>
  changeable(name, z.int().min(min).max(max), Number(min) + 1, (config) => config[name]);

const DAYS_MAX = 3650;
const QUEUE_MAX = 100_000;
const LIMIT_MAX = 1_000_000;

/**
 * The settings that an administrator may change while the server runs, by the names that `config --json` uses. A change is in
 * force for the next request; that of the days, at the next hourly clean-up. To add one, declare it here, and read it
 * from `Settings.values` each time.
 */
export const CHANGEABLE = {
  modelAliases: changeable(
    "modelAliases",
    aliasesSchema,
    { fast: "llama3.2" },
    (config) => config.modelAliases ?? {},
  ),
  fallbacks: changeable("fallbacks", fallbacksSchema, { "llama3.3": ["qwen3"] }, copiedFallbacks),
  agentFailuresMax: whole("agentFailuresMax", 0, LIMIT_MAX),
  queueMax: whole("queueMax", 1, QUEUE_MAX),
  queueUserMax: whole("queueUserMax", 1, QUEUE_MAX),
  queueWaitMs: whole("queueWaitMs", 100, HOUR_MS),
  affinityWaitMs: whole("affinityWaitMs", 0, MINUTE_MS),
  wholeAnswerMs: whole("wholeAnswerMs", 100, HOUR_MS),
  wholeStreamMs: whole("wholeStreamMs", SECOND_MS, DAY_MS),
  addressRequestsMax: whole("addressRequestsMax", 1, LIMIT_MAX),
  keyFailuresMax: whole("keyFailuresMax", 1, LIMIT_MAX),
  conversationDays: whole("conversationDays", 1, DAYS_MAX),
  usageDays: whole("usageDays", 1, DAYS_MAX),
  prices: changeable(
    "prices",
    PriceList,
    { currency: "EUR", models: { "gpt-*": { input: 2.5, output: 10 } } },
    ({ prices = NO_PRICES }) => prices,
  ),
  auditDays: whole("auditDays", 1, DAYS_MAX),
  webhook,
};

export type ChangeableName = keyof typeof CHANGEABLE;

/** The values of a table of settings. */
export type ValuesOf<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Changeable<infer Value> ? Value : never;
};

/** The values in force of all settings that can change. */
export type SettingValues = ValuesOf<typeof CHANGEABLE>;

function copiedFallbacks({ fallbacks = {} }: Config): Record<string, string[]> {
  return Object.fromEntries(Object.entries(fallbacks).map(([model, others]) => [model, [...others]]));
}
