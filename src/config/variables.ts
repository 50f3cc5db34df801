import { readFileSync } from "node:fs";
import { addFault, type Given, type Reading } from "./reading.ts";
import { PREFIX, SETTING_NAMES, SETTINGS, type SettingName, variablesOf } from "./settings.ts";

type Environment = Record<string, string | undefined>;

/**
 * The first of a setting's variables that is set, itself or as a file. An empty one counts as not set, but
 * for the admin key it is remembered: who sets it empty means no key at all, which must not go unsaid.
 */
export function readVariables(name: SettingName, env: Environment, reading: Reading): Given | undefined {
  for (const variable of variablesOf(name)) {
    const found = SETTINGS[name].secret ? readSecret(name, variable, env, reading) : readPlain(variable, env);
    if (found) return found;
  }
  const empty = name === "adminKey" && variablesOf(name).find((variable) => env[variable] === "");
  return empty ? { text: "", from: empty } : undefined;
}

function readPlain(variable: string, env: Environment): Given | undefined {
  const text = env[variable]?.trim();
  return text && !isServiceLink(variable, text) ? { text, from: variable } : undefined;
}

/** Kubernetes sets `CHATGPT_API_PORT=tcp://…` for a Service called chatgpt-api: no setting of ours. */
function isServiceLink(variable: string, text: string): boolean {
  return variable === `${PREFIX}PORT` && text.startsWith("tcp://");
}

function readSecret(
  name: SettingName,
  variable: string,
  env: Environment,
  reading: Reading,
): Given | undefined {
  const [text, path] = [env[variable], env[`${variable}_FILE`]];
  if (text && path) addFault(reading, name, `${variable} and ${variable}_FILE are both set: unset one`);
  if (text) return { text, from: variable };
  return path ? readSecretFile(name, `${variable}_FILE`, path, reading) : undefined;
}

function readSecretFile(name: SettingName, variable: string, path: string, reading: Reading): Given {
  try {
    return { text: readFileSync(path, "utf8").replace(/\r?\n$/, ""), from: variable };
  } catch (error) {
    // The path is left out: some set the variable to the key itself.
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
    addFault(
      reading,
      name,
      `${variable}: cannot read the file it names (${reason}): check its path and mode`,
    );
    return { text: "", from: variable };
  }
}

/** Names that look like settings and are none, a misspelt one for instance. */
export function unknownVariables(env: Environment): string[] {
  const known = new Set(SETTING_NAMES.flatMap(knownVariables));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .sort();
}

function knownVariables(name: SettingName): string[] {
  return variablesOf(name).flatMap((variable) =>
    SETTINGS[name].secret ? [variable, `${variable}_FILE`] : [variable],
  );
}
