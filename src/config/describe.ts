import type { Origins } from "./read.ts";
import { type Config, flagOf, SETTING_NAMES, SETTINGS, type SettingName } from "./settings.ts";

/** Describes each setting as an operator would write it, in the order of the table. Secrets are masked. */
export function describeConfig(config: Config): { name: SettingName; label: string; shown: string }[] {
  return SETTING_NAMES.map((name) => {
    const { absent = "", secret, show = String, slug } = SETTINGS[name];
    const value = config[name];
    const shown = secret ? "***" : (show as (value: unknown) => string)(value);
    return { name, label: flagOf(name) ?? slug, shown: value === undefined ? `(${absent})` : shown };
  });
}

/** Describes each setting for programs and pages, by its name. Secrets are masked. */
export function describeSettings(
  config: Config,
  origins?: Origins,
): Record<string, { value: string; from: string; label: string; about: string }> {
  const entries = describeConfig(config).map(({ name, label, shown }) => [
    name,
    { value: shown, from: origins?.[name] ?? "default", label, about: SETTINGS[name].help },
  ]);
  return Object.fromEntries(entries);
}
