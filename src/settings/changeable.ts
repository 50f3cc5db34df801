import type { z } from "zod";
import { type Config, SETTINGS, type SettingName } from "../config/settings.ts";

/** A setting that an administrator may change while the server runs. Its value is JSON. */
export interface Changeable<Value> {
  /** The accepted values, with their bounds. Null must not be accepted, as it takes a change back. */
  schema: z.ZodType<Value>;
  about: string;
  /** The flag, or a plain name for a setting without one. */
  label: string;
  /** The flags that it stands for, if they are several: the default comes from them. */
  flags?: readonly SettingName[];
  /** For the API document. */
  example: Value;
  /** Returns the value that counts unless the database has one. */
  defaultOf(config: Config): Value;
  /** Returns the value as an operator would write it, without its secrets. */
  show(value: Value): string;
  /** Returns the value without its secrets, for answers and the audit. Left out for one that has none. */
  masked?(value: Value): unknown;
}

/** Declares a setting whose default is a setting of the command line, with the text and the label of that. */
export function changeable<Name extends SettingName, Value>(
  name: Name,
  schema: z.ZodType<Value>,
  example: Value,
  defaultOf: (config: Config) => Value,
): Changeable<Value> {
  const { slug, help, absent, show = String } = SETTINGS[name];
  // The settings of the table have values of many types.
  const shown = show as (value: Value) => string;
  return {
    ...{ schema, about: help, label: `--${slug}`, example, defaultOf },
    show: (value) => shown(value) || `(${absent})`,
  };
}
