import type { SettingsAnswer } from "../../../api/types.ts";
import { useSettings } from "../../../state/use-settings.ts";

/** The names that are set for models. */
export interface ModelNames {
  /** The model by each alias. */
  modelAliases: Readonly<Record<string, string>>;
  /** The models that answer when a model cannot, in order, by that model. */
  fallbacks: Readonly<Record<string, readonly string[]>>;
}
export type NameSetting = keyof ModelNames;

/** The origin of the value of a setting. */
export interface Source {
  /** When it was changed in the dashboard or by the API; null while the flag or the default counts. */
  changedAt: string | null;
  /** The flag or variable that it comes from, or `default`. */
  from: string;
  label: string;
  /** The value that counts without a change, as JSON. */
  default: unknown;
}

export interface ModelSettings {
  /** Undefined until it is loaded. */
  current: ModelNames | undefined;
  error: string | undefined;
  sourceOf(name: NameSetting): Source;
  /**
   * Puts new values in force. `changesOf` makes them of the present ones; null takes a setting back to its flag. Rejects
   * with a text for people if somebody else has changed a setting: `current` then has their values.
   */
  change(changesOf: (now: ModelNames) => Changes): Promise<void>;
}

/** The properties of what shows and changes the names of models. */
export interface NamesProps {
  settings: ModelSettings;
  /** The names of the models that agents offer. */
  offered: readonly string[];
}

export type Changes = { [Name in NameSetting]?: ModelNames[Name] | null };

/** Loads the aliases and fallbacks, and changes them. `onChange` is called after each attempt to change them. */
export function useModelSettings(onChange: () => void): ModelSettings {
  const { answer, error, change } = useSettings();
  const current = answer && namesIn(answer);
  return {
    ...{ current, error },
    sourceOf: (name) => sourceIn(answer, name),
    async change(changesOf) {
      if (!current) return;
      try {
        await change(changesOf(current));
      } finally {
        onChange();
      }
    },
  };
}

function namesIn({ settings }: SettingsAnswer): ModelNames {
  // The server's schemas say that the values are these.
  const currentOf = (name: NameSetting) => (settings[name]?.current ?? {}) as never;
  return { modelAliases: currentOf("modelAliases"), fallbacks: currentOf("fallbacks") };
}

function sourceIn(answer: SettingsAnswer | undefined, name: NameSetting): Source {
  const {
    from = "default",
    label = "",
    changed_at: changedAt = null,
    default: fallback,
  } = answer?.settings[name] ?? {};
  return { changedAt, from, label, default: fallback };
}

/** Returns the record without an entry. */
export function without<Value>(record: Readonly<Record<string, Value>>, key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** Returns the entries of a record, sorted by their names. */
export function sortedEntries<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  const compare = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
  return Object.entries(record).sort(([a], [b]) => compare(a, b));
}
