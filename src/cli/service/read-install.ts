import { existsSync, statSync } from "node:fs";
import { posix, win32 } from "node:path";
import { type Environment, GivenSettings } from "../../config/read.ts";
import { type Config, SETTINGS, type SettingName, variablesOf } from "../../config/settings.ts";
import { ADMIN_KEY_NAME, adminKeyIn } from "../../data-folder.ts";
import { usageError } from "../../errors.ts";
import { readPairTarget } from "../agents/exchange.ts";
import { AGENT_FLAGS } from "../agents/key-flags.ts";
import { readArgs, readServerArgs } from "../args.ts";
import { COMMANDS } from "../commands.ts";
import { ALLOW_UPDATE_FLAG } from "../update/flags.ts";
import { chooseUpstreams, refuseServer } from "../upstreams/choices.ts";
import { type AgentFile, CONFIG_VARIABLE, givenAgentFile, serverAddress } from "../upstreams/config-file.ts";
import { INSTALL_FLAGS } from "./actions.ts";
import { isPaired, type ServicePairing } from "./pairing.ts";
import type { DataFolder, InputFile, Machine, Places, Service } from "./service.ts";
import { serviceName } from "./service-name.ts";

interface Installer {
  machine: Machine;
  executable: string;
  /** Returns the places of a service, by its name. */
  places(name: string): Places;
}

export interface Installation {
  service: Service;
  isDryRun: boolean;
  warnings: string[];
  /** The settings of a server. */
  config?: Config;
  /** The file with the server's admin key. */
  adminKeyPath?: string;
  /** How an agent gets its key, if it is not given. */
  pairing?: ServicePairing;
}

/**
 * Reads the arguments of `serve install`, which are those of the server, and every setting in the environment. Throws a
 * `CommandError` for what the server would refuse.
 */
export function readServerInstall(args: readonly string[], installer: Installer): Installation {
  const { machine, executable } = installer;
  const { env } = machine;
  // An admin key that is not given is generated later, in a place that the other settings decide.
  const keptAdminKey = () => "generated";
  const given = new GivenSettings();
  const read = readServerArgs({ args, env, given }, { flags: INSTALL_FLAGS, keptAdminKey });
  const { config, flags } = read;
  refuseServer(chooseUpstreams({ settings: config, given }), `http://localhost:${config.port}`);
  if (config.port === 0) throw usageError("A service needs a port that stays. Give one other than 0.");
  const name = serviceName("serve", flags["service-name"]);
  const places = installer.places(name);
  const data = dataFolder(given.texts.get("data")?.text, places, machine);
  const { variables, inputs } = readGiven(given.texts, places.keys, machine);
  const kept = keepEnvironment(machine);
  let adminKeyPath = inputs.find(({ id }) => id === SETTINGS.adminKey.slug)?.path;
  if (adminKeyPath === undefined && existsSync(adminKeyIn(data.path))) adminKeyPath = adminKeyIn(data.path);
  if (adminKeyPath === undefined) {
    const generated = secretInput("adminKey", places.keys, machine);
    inputs.push({ ...generated, isGenerated: true });
    adminKeyPath = generated.path;
  }
  const service: Service = {
    kind: "serve",
    ...{ name, executable, args: ["serve"], data },
    variables: { ...variables, ...kept.variables },
    inputs: [...inputs, ...kept.inputs],
    hasLowPort: config.port < 1024 || (config.domains !== undefined && config.acmeHttpPort < 1024),
    mayUpdate: mayUpdate(machine, config.autoUpdate),
    stopMs: config.drainMs + config.lameDuckMs + STOP_MARGIN_MS,
  };
  const warnings = [...read.warnings, ...kept.warnings];
  return { service, config, adminKeyPath, warnings, isDryRun: flags["dry-run"] };
}

/** Reads the arguments of `agent install`, which are those of the agent. Throws like `readServerInstall`. */
export function readAgentInstall(args: readonly string[], installer: Installer): Installation {
  const { machine, executable } = installer;
  const { env } = machine;
  const given = new GivenSettings();
  let file: AgentFile | undefined;
  const { settings, flags, positionals } = readArgs(
    { args, env, given },
    {
      settings: COMMANDS.agent.settings.filter((name) => name !== "data"),
      flags: { ...INSTALL_FLAGS, ...ALLOW_UPDATE_FLAG, ...AGENT_FLAGS },
      inFile: (own) => {
        file = givenAgentFile(own.config, env);
        return file?.texts ?? [];
      },
    },
  );
  const { server, code } = readPairTarget(serverAddress(positionals, file), flags.pair, env);
  refuseServer(chooseUpstreams({ settings, given, tables: file?.upstreams ?? [] }), server.url);
  const name = serviceName("agent", flags["service-name"]);
  const { keys } = installer.places(name);
  // The key in the address wins, as it does for the agent.
  if (server.key) given.texts.set("agentKey", { text: server.key, from: "address" });
  const { variables, inputs } = readGiven(given.texts, keys, machine);
  const pairing = readPairing({ server, code, name: settings.name, keys }, given.texts.has("agentKey"));
  if (pairing) inputs.push({ ...secretInput("agentKey", keys, machine), isPaired: true });
  const kept = keepEnvironment(machine);
  const isAllowed = flags["allow-update"];
  const service: Service = {
    kind: "agent",
    ...{ name, executable, hasLowPort: false },
    args: ["agent", server.label, ...(isAllowed ? ["--allow-update"] : [])],
    mayUpdate: mayUpdate(machine, settings.autoUpdate || isAllowed),
    variables: { ...variables, ...kept.variables },
    inputs: [...inputs, ...configInputs(file, keys, machine), ...kept.inputs],
    stopMs: settings.drainMs + STOP_MARGIN_MS,
  };
  return { service, warnings: kept.warnings, isDryRun: flags["dry-run"], ...(pairing && { pairing }) };
}

/** Returns undefined for an agent whose key is given, or that needs none. Throws a `CommandError`. */
function readPairing(pairing: ServicePairing, hasKey: boolean): ServicePairing | undefined {
  const { code, keys, server } = pairing;
  if (code !== undefined && hasKey)
    throw usageError("A pairing code is exchanged for a key, and there is a key already. Give one of them.");
  if (hasKey) return undefined;
  return code !== undefined || isPaired(keys, server) ? pairing : undefined;
}

/** Whether a job that updates the service is installed with it. */
function mayUpdate({ platform }: Machine, isWanted: boolean): boolean {
  if (isWanted && platform === "win32")
    throw usageError(
      "A service of Windows does not update itself. Leave out --auto-update and --allow-update, and call update yourself.",
    );
  return isWanted;
}

/** The time that a process needs to stop, beyond the time for running requests. */
export const STOP_MARGIN_MS = 15_000;

const FILES: readonly SettingName[] = ["tlsCert", "tlsKey", "natsCreds"];

/** Returns variables and files that give a service all settings that were given. No variable has a secret. */
function readGiven(given: GivenSettings["texts"], keys: string, machine: Machine) {
  const variables: Record<string, string> = {};
  const inputs: InputFile[] = [];
  for (const [name, { text, from, isInFile }] of given) {
    const [variable = ""] = variablesOf(name);
    if (name === "data" || name === "updateRequest" || from === ADMIN_KEY_NAME) continue;
    // The job that updates the service does not read the configuration file of an agent.
    if (isInFile && name !== "updateFrom" && name !== "requireProvenance") continue;
    if (SETTINGS[name].secret) inputs.push(secretInput(name, keys, machine, { text, from }));
    else if (FILES.includes(name))
      inputs.push({ id: SETTINGS[name].slug, variable, path: pathIn(machine, text) });
    else variables[variable] = withoutControls(text);
  }
  return { variables, inputs };
}

/** Returns the file with a copy of the configuration file, as the service may not read what its operator reads. */
function configInputs(file: AgentFile | undefined, keys: string, machine: Machine): InputFile[] {
  if (file === undefined) return [];
  const path = pathsOf(machine).join(keys, "config");
  return [{ id: "config", variable: CONFIG_VARIABLE, path, text: file.portable }];
}

function secretInput(
  name: SettingName,
  keys: string,
  machine: Machine,
  found?: { text: string; from: string },
): InputFile {
  const { join } = pathsOf(machine);
  const id = SETTINGS[name].slug;
  const variable = `${variablesOf(name)[0]}_FILE`;
  const file = found?.from.endsWith("_FILE") ? machine.env[found.from] : undefined;
  // A pipe, such as that of <(…) of a shell, is gone when the service starts.
  if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile())
    return { id, variable, path: pathIn(machine, file) };
  return { id, variable, path: join(keys, id), ...(found && { text: found.text }) };
}

function dataFolder(given: string | undefined, places: Places, machine: Machine): DataFolder {
  if (given === undefined) return { path: places.data };
  const path = pathIn(machine, given);
  if (path === places.data) return { path };
  const owner = statSync(path, { throwIfNoEntry: false })?.uid;
  if (machine.platform === "linux" && machine.isAdmin && !owner)
    throw usageError(
      `The service does not run as root, and ${path} ${owner === 0 ? "belongs to root" : "does not exist"}. Give a folder that belongs to the user that it is to run as, or leave out --data: the service then has ${places.data}.`,
    );
  return { path, owner: owner ?? machine.uid };
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Returns the variables beside the settings that decide how a process connects. */
function keepEnvironment(machine: Machine) {
  const { env } = machine;
  const given = PROXY_VARIABLES.filter((name) => env[name]);
  const hasPassword = (name: string) => /@/.test(env[name] ?? "");
  const warnings = given
    .filter(hasPassword)
    .map(
      (name) =>
        `${name} contains a password, so the service does not get it. Set it for the service yourself.`,
    );
  const kept = given.filter((name) => !hasPassword(name));
  const variables: Environment = Object.fromEntries(
    kept.map((name) => [name, withoutControls(env[name] ?? "")]),
  );
  const authorities = env["NODE_EXTRA_CA_CERTS"];
  const inputs: InputFile[] = authorities
    ? [{ id: "ca-certs", variable: "NODE_EXTRA_CA_CERTS", path: pathIn(machine, authorities) }]
    : [];
  return { variables: variables as Record<string, string>, inputs, warnings };
}

function withoutControls(text: string): string {
  if (/\p{Cc}/u.test(text)) throw usageError("A setting contains a control character. Remove it.");
  return text;
}

/** A line break in a path would begin another line of a unit. */
function pathIn(machine: Machine, text: string): string {
  return withoutControls(pathsOf(machine).resolve(text));
}

function pathsOf({ platform }: Machine) {
  return platform === "win32" ? win32 : posix;
}
