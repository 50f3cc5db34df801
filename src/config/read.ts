import { readFileSync } from "node:fs";
import { z } from "zod";
import { usageError } from "../errors.ts";
import { fileErrorText } from "../system-error.ts";
import { defaultOf } from "./setting.ts";
import {
  type Config,
  type Origins,
  PREFIX,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  variablesOf,
} from "./settings.ts";

export type Environment = Record<string, string | undefined>;

/** A text that gives a setting's value, and where it was found: "--port", "PORT", "second argument". */
export interface Given {
  text: string;
  from: string;
  /** Whether it is from a configuration file. */
  isInFile?: true;
}

/** The settings that the command line gives, and the faults found so far, which are reported together. */
export class GivenSettings {
  readonly texts = new Map<SettingName, Given>();
  readonly faults: string[] = [];
  readonly #faulty = new Set<SettingName>();

  /** Reports a fault of a setting, unless the setting already has one. */
  addFault(name: SettingName, message: string): void {
    if (!this.#faulty.has(name)) this.faults.push(message);
    this.#faulty.add(name);
  }
}

/**
 * Reads all settings: the command line comes before the environment, and the environment before the defaults.
 * Throws a `CommandError` with exit code 2 and one line for each fault. No line repeats a secret.
 */
export function readConfig(
  given: GivenSettings,
  env: Environment,
): { config: Config; warnings: string[]; origins: Origins } {
  const config = readSettings(given, env, SETTING_NAMES);
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined))
    throw usageError("--tls-cert and --tls-key belong together. Give both, or neither.");
  refuseUnusableDomain(config);
  if (config.nats && !config.database)
    throw usageError("--nats needs --database: the nodes of a cluster share one PostgreSQL database.");
  if (config.nats && !config.clusterKey)
    throw usageError(
      "--nats needs --cluster-key: give all nodes the same, such as `openssl rand -hex 32` prints.",
    );
  const unknown = unknownVariables(env);
  const warnings = unknown.length > 0 ? [`Ignored unknown variables: ${unknown.join(", ")}`] : [];
  const origins = SETTING_NAMES.map((name) => [name, given.texts.get(name)?.from ?? "default"]);
  return { config, warnings, origins: Object.fromEntries(origins) };
}

function refuseUnusableDomain({ domains, tlsCert, nats, port, acmeHttpPort, ...eab }: Config): void {
  if ((eab.acmeEabKid === undefined) !== (eab.acmeEabKey === undefined))
    throw usageError("--acme-eab-kid and --acme-eab-key belong together. Give both, or neither.");
  if (domains === undefined) return;
  if (tlsCert !== undefined)
    throw usageError(
      "--domain gets a certificate by itself. Leave out --tls-cert and --tls-key, or --domain.",
    );
  if (nats)
    throw usageError(
      "--domain is for a single server: in a cluster the CA's check could reach another node. Let the load balancer handle TLS, or give each node --tls-cert and --tls-key.",
    );
  if (port === 0) throw usageError("With --domain the port must stay. Give one other than 0.");
  if (port === acmeHttpPort)
    throw usageError(
      `Port ${port} answers the CA's checks (--acme-http-port). Give another --port, such as 443.`,
    );
}

/** Whether the setting is given, on the command line or in the environment. */
export function isGiven(given: GivenSettings, env: Environment, name: SettingName): boolean {
  return (
    given.texts.has(name) || variablesOf(name).some((each) => env[each] !== undefined || env[`${each}_FILE`])
  );
}

/** Reads some of the settings. Throws like `readConfig`. */
export function readSettings<Name extends SettingName>(
  given: GivenSettings,
  env: Environment,
  names: readonly Name[],
): Pick<Config, Name> {
  for (const name of names) {
    const found = given.texts.get(name) ?? readVariables(name, env, given);
    if (found) given.texts.set(name, found);
  }
  const schema = z.object(Object.fromEntries(names.map((name) => [name, SETTINGS[name].schema])));
  const kind = { isCluster: given.texts.has("nats"), hasDomain: given.texts.has("domains") };
  const texts = names.map((name) => [name, given.texts.get(name)?.text ?? defaultOf(SETTINGS[name], kind)]);
  const { data, error } = schema.safeParse(Object.fromEntries(texts), { jitless: true });
  for (const { path, message } of error?.issues ?? []) {
    const name = path[0] as Name;
    given.addFault(name, faultPrefix(name, given.texts.get(name)) + message);
  }
  if (given.faults.length > 0) throw usageError(given.faults.join("\n"));
  return Object.freeze(data) as Pick<Config, Name>;
}

/** Repeats the text only if it cannot be a key, a key in the port's place, or a password in a URL. */
function faultPrefix(name: SettingName, found: Given | undefined): string {
  if (!found) return "";
  const { text, from } = found;
  if (from.endsWith(" argument")) return `The ${from} is not valid. `;
  if (SETTINGS[name].secret) return `${from} is not valid. `;
  const shown = text.replace(/\/\/[^/]*@/, "//***@").slice(0, 60);
  return `${from} ${JSON.stringify(shown)} is not valid. `;
}

/**
 * Returns the first of a setting's variables that is set, directly or as a file. An empty variable counts as
 * not set, except for the admin key: an operator who sets it to nothing may mean "no key", which is refused.
 */
function readVariables(name: SettingName, env: Environment, given: GivenSettings): Given | undefined {
  for (const variable of variablesOf(name)) {
    const found = SETTINGS[name].secret ? readSecret(name, variable, env, given) : readPlain(variable, env);
    if (found) return found;
  }
  const empty = name === "adminKey" && variablesOf(name).find((variable) => env[variable] === "");
  return empty ? { text: "", from: empty } : undefined;
}

function readPlain(variable: string, env: Environment): Given | undefined {
  const text = env[variable]?.trim();
  // Kubernetes sets `CHATGPT_API_PORT=tcp://…` for a Service called chatgpt-api. That is not a setting.
  const isServiceLink = variable === `${PREFIX}PORT` && text?.startsWith("tcp://");
  return text && !isServiceLink ? { text, from: variable } : undefined;
}

function readSecret(name: SettingName, variable: string, env: Environment, given: GivenSettings) {
  const fileVariable = `${variable}_FILE`;
  const [text, path] = [env[variable], env[fileVariable]];
  if (text && path) given.addFault(name, `${variable} and ${fileVariable} are both set. Unset one.`);
  if (text) return { text, from: variable };
  if (!path) return undefined;
  try {
    return { text: readFileSync(path, "utf8").replace(/\r?\n$/, ""), from: fileVariable };
  } catch (error) {
    // The path is left out: some people set the variable to the key itself.
    const reason = fileErrorText(error, "Check its path and its mode.");
    given.addFault(name, `The file that ${fileVariable} names cannot be read. ${reason}`);
    return { text: "", from: fileVariable };
  }
}

/** Returns the variables that look like settings but are not, such as misspelled ones. */
function unknownVariables(env: Environment): string[] {
  const known = SETTING_NAMES.flatMap((name) => {
    const variables = variablesOf(name);
    return SETTINGS[name].secret ? variables.flatMap((each) => [each, `${each}_FILE`]) : variables;
  });
  // The commands `client` and `agent` read these.
  known.push(`${PREFIX}TOKEN`, `${PREFIX}TOKEN_FILE`, `${PREFIX}CONFIG`);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .sort();
}
