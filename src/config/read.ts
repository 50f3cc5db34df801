import { z } from "zod";
import { CommandError } from "../errors.ts";
import { readFlags } from "./flags.ts";
import { addFault, type Given, type Reading, startReading } from "./reading.ts";
import { type Config, flagOf, SETTING_NAMES, SETTINGS, type SettingName } from "./settings.ts";
import { readVariables, unknownVariables } from "./variables.ts";

export { nearest } from "./nearest.ts";
export {
  type Config,
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  variablesOf,
} from "./settings.ts";

export interface Source {
  /** What follows the command's name. */
  args: readonly string[];
  env: Record<string, string | undefined>;
}

/**
 * All settings: the command line before the environment before the defaults. `origins` says where each
 * came from. Throws a CommandError with exit code 2 and a line for each fault, none with a secret in it.
 */
export function readConfig(source: Source): {
  config: Config;
  warnings: string[];
  origins: Origins;
} {
  const reading = startReading();
  takePositionals(readFlags(source.args, SETTING_NAMES, reading), reading);
  const config = readValues(SETTING_NAMES, source, reading);
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined))
    throw new CommandError("--tls-cert and --tls-key belong together: give both, or none", { exitCode: 2 });
  const unknown = unknownVariables(source.env);
  const warnings = unknown.length > 0 ? [`unknown variables are ignored: ${unknown.join(", ")}`] : [];
  const origins = SETTING_NAMES.map((name) => [name, reading.given.get(name)?.from ?? "default"]);
  return { config, warnings, origins: Object.fromEntries(origins) };
}

/**
 * Some settings, for a command with arguments of its own, which are `positionals`. The flag of a setting not
 * asked for is unknown to the command. Throws as `readConfig` does.
 */
export function readSettings<Name extends SettingName>(
  source: Source,
  names: readonly Name[],
): { settings: Pick<Config, Name>; positionals: string[] } {
  const reading = startReading();
  const positionals = readFlags(source.args, names, reading);
  return { settings: readValues(names, source, reading), positionals };
}

/** Where each setting comes from: a flag, a variable, an argument's place, or `default`. */
export type Origins = Readonly<Record<SettingName, string>>;

/** Every setting for programs and pages, by its name, in the order of the table; of a secret only whether it is set. */
export function describeSettings(
  config: Config,
  origins?: Origins,
): Record<string, { value: string; from: string; label: string; about: string }> {
  const entries = describeConfig(config).map(({ name, label, shown }) => [
    name,
    { value: shown, from: origins?.[name] ?? "default", label, about: SETTINGS[name].doc },
  ]);
  return Object.fromEntries(entries);
}

/** Each setting as an operator would write it, in the order of the table; of a secret only whether it is set. */
export function describeConfig(config: Config): { name: SettingName; label: string; shown: string }[] {
  return SETTING_NAMES.map((name) => {
    const { absent = "", secret, show = String, slug } = SETTINGS[name];
    const value = config[name];
    const shown = secret ? "***" : (show as (value: unknown) => string)(value);
    return { name, label: flagOf(name) ?? slug, shown: value === undefined ? `(${absent})` : shown };
  });
}

function takePositionals(positionals: readonly string[], reading: Reading): void {
  const [port, adminKey, ...more] = positionals;
  if (port !== undefined && reading.given.has("port"))
    addFault(reading, "port", "the port is given twice: leave out --port or the first argument");
  else if (port !== undefined) reading.given.set("port", { text: port, from: "first argument" });
  if (adminKey !== undefined) reading.given.set("adminKey", { text: adminKey, from: "second argument" });
  if (more.length > 0)
    reading.faults.push("more than two arguments: give <port> <admin-key>, a key with blanks in quotes");
}

/** Reads what is not given yet from the environment, and then every text with its schema. */
function readValues<Name extends SettingName>(
  names: readonly Name[],
  { env }: Source,
  reading: Reading,
): Pick<Config, Name> {
  for (const name of names) {
    const found = reading.given.get(name) ?? readVariables(name, env, reading);
    if (found) reading.given.set(name, found);
  }
  const schema = z.object(Object.fromEntries(names.map((name) => [name, SETTINGS[name].schema])));
  const texts = names.map((name) => [name, reading.given.get(name)?.text ?? SETTINGS[name].default]);
  const { data, error } = schema.safeParse(Object.fromEntries(texts), { jitless: true });
  for (const { path, message } of error?.issues ?? []) {
    const name = path[0] as Name;
    addFault(reading, name, labelOf(name, reading.given.get(name)) + message);
  }
  if (reading.faults.length > 0) throw new CommandError(reading.faults.join("\n"), { exitCode: 2 });
  return Object.freeze(data) as Pick<Config, Name>;
}

/** Repeats the text only where it cannot be a key, a key that took the port's place, or a URL's password. */
function labelOf(name: SettingName, given: Given | undefined): string {
  if (!given) return "";
  const hidden = SETTINGS[name].secret || given.from === "first argument";
  if (hidden) return `${given.from}: `;
  const shown = given.text.replace(/\/\/[^/]*@/, "//***@").slice(0, 60);
  return `${given.from} ${JSON.stringify(shown)}: `;
}
