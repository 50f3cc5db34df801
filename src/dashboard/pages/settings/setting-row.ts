import { SECOND_MS } from "../../../durations.ts";
import { searchable } from "../../../search-text.ts";
import type { SettingsAnswer } from "../../api/types.ts";
import type { TextKey } from "../../texts/texts.ts";

export type Setting = SettingsAnswer["settings"][string] & { name: string };

/** The flags of the webhook. Their values are those of the setting `webhook` unless it was changed. */
const OF_WEBHOOK: ReadonlySet<string> = new Set([
  ...["alertWebhook", "alertWebhookSecret", "alertWebhookFormat", "alertSeverity"],
]);

/** Returns the settings in force. */
export const settingsOf = ({ settings }: SettingsAnswer): Setting[] =>
  Object.entries(settings)
    .filter(([name]) => !OF_WEBHOOK.has(name))
    .map(([name, setting]) => ({ name, ...setting }));

/** Returns the settings that have every word of the query in their label, value or description. */
export function findSettings(settings: readonly Setting[], query: string): Setting[] {
  const words = searchable(query).split(/\s+/).filter(Boolean);
  return settings.filter((setting) => {
    const all = searchable([setting.label, setting.name, setting.value, setting.about].join(" "));
    return words.every((word) => all.includes(word));
  });
}

/** Returns the environment variable that sets a flag: `CHATGPT_API_QUEUE_MAX` for `--queue-max`. */
export function variableOf(label: string): string | undefined {
  if (!label.startsWith("--")) return undefined;
  return `CHATGPT_API_${label.slice(2).toUpperCase().replaceAll("-", "_")}`;
}

/** The pages on which those settings are changed whose values are not numbers. */
const PAGES: Readonly<Record<string, { path: string; title: TextKey }>> = {
  modelAliases: { path: "models", title: "nav.models" },
  fallbacks: { path: "models", title: "nav.models" },
  prices: { path: "prices", title: "nav.prices" },
};

/** Returns the page on which a setting is changed, if it is not changed here. */
export const pageOf = ({ name }: Setting) => PAGES[name];

/** A number as people type it: durations in seconds, and the factor to the setting's own unit. */
export interface NumberForm {
  value: number;
  isDuration: boolean;
}

/** Returns the number that a form shows; undefined if the setting is not a number. */
export function numberForm({ name, current }: Pick<Setting, "name" | "current">): NumberForm | undefined {
  if (typeof current !== "number") return undefined;
  const isDuration = name.endsWith("Ms");
  return { value: isDuration ? current / SECOND_MS : current, isDuration };
}

/** Returns the setting's value for a typed text; undefined if it is not a number. */
export function numberValue(typed: string, isDuration: boolean): number | undefined {
  const number = typed.trim() === "" ? Number.NaN : Number(typed);
  if (!Number.isFinite(number)) return undefined;
  return isDuration ? Math.round(number * SECOND_MS) : number;
}
