import { api, type SettingChanges } from "../api/api.ts";
import { ApiError } from "../api/request.ts";
import type { SettingsAnswer } from "../api/types.ts";
import { text } from "../texts/texts.ts";
import { useFetch } from "./use-fetch.ts";

export interface SettingsState {
  /** Undefined until it is loaded. */
  answer: SettingsAnswer | undefined;
  /** Why it could not be loaded, as a text for people. */
  error: string | undefined;
  /**
   * Puts new values in force. Rejects with a text for people if somebody else has changed a setting: `answer` then has
   * their values, and the same change succeeds the next time.
   */
  change(changes: SettingChanges): Promise<void>;
}

const CHANGED_MEANWHILE = 412;

/** Loads the settings, and changes them if nobody else has since. */
export function useSettings(): SettingsState {
  const { value, error, replace } = useFetch((signal) => api.settings(signal), []);
  return {
    answer: value?.answer,
    error,
    async change(changes) {
      if (!value) return;
      try {
        replace(await api.changeSettings(changes, value));
      } catch (failure) {
        if (!(failure instanceof ApiError) || failure.status !== CHANGED_MEANWHILE) throw failure;
        replace(await api.settings());
        throw new Error(text("settings.conflict"));
      }
    },
  };
}
