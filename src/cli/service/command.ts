import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { readOrCreateKey } from "../../auth/key-file.ts";
import { ownCommand } from "../../backup/download.ts";
import { adminKey } from "../../config/kinds.ts";
import { CommandError, usageError } from "../../errors.ts";
import { listenAddresses } from "../../net/listen-addresses.ts";
import { printable } from "../../printable.ts";
import { shellQuote } from "../../shell-quote.ts";
import { readArgs } from "../args.ts";
import { health } from "../health.ts";
import { agentsCommand, browserUrl } from "../server-addresses.ts";
import { table } from "../terminal/text-table.ts";
import type { Command, Terminal } from "../terminal.ts";
import { PROGRAM } from "../version.ts";
import { INSTALL_FLAGS, isServiceAction, LOGS_FLAGS, NAME_FLAG, type ServiceAction } from "./actions.ts";
import { serviceExecutable } from "./executable.ts";
import { managerOf, temporaryFolders, thisMachine } from "./machine.ts";
import { pairService } from "./pairing.ts";
import { type Installation, readAgentInstall, readServerInstall } from "./read-install.ts";
import { carryOut, describePlan, passThrough, prepare, refuseForeign } from "./runner.ts";
import type { Machine, Places, ServiceKind } from "./service.ts";
import { serviceName } from "./service-name.ts";

/** How this program and its machine are found. Tests replace some of it. */
export interface Surroundings {
  machine?: Partial<Machine>;
  /** The command that runs this program. */
  command?: readonly string[];
  temporary?: readonly string[];
  /** How often a new server is asked for its health, half a second apart. */
  healthTries?: number;
}

/** Returns the command `<kind> install`, `uninstall`, `status` and `logs`. */
export function serviceCommand(kind: ServiceKind, surroundings: Surroundings = {}): Command {
  return async ([action, ...args], io) => {
    if (!isServiceAction(action)) throw usageError("Give one of: install, uninstall, status, logs.");
    const machine = { ...thisMachine(io.env), ...surroundings.machine };
    return await ACTIONS[action]({ kind, args, io, machine, surroundings });
  };
}

interface Call {
  kind: ServiceKind;
  args: readonly string[];
  io: Terminal;
  machine: Machine;
  surroundings: Surroundings;
}

const ACTIONS: Record<ServiceAction, (call: Call) => Promise<number>> = { install, uninstall, status, logs };

async function install({ kind, args, io, machine, surroundings }: Call): Promise<number> {
  const { command = ownCommand(), temporary = temporaryFolders(), healthTries = 40 } = surroundings;
  const manager = managerOf(machine);
  const executable = serviceExecutable(machine, { command, temporary });
  const read = kind === "serve" ? readServerInstall : readAgentInstall;
  const places = (name: string) => manager.places(name, machine);
  const installation = read(args, { machine, executable, places });
  const { service, warnings, isDryRun, pairing } = installation;
  const print = (line: string) => io.err(`${PROGRAM}: ${printable(line)}\n`);
  for (const warning of warnings) print(warning);
  const plan = manager.install(service, machine);
  const { description } = places(service.name);
  refuseForeign(description);
  if (isDryRun) {
    const generated = service.inputs.filter(({ isGenerated }) => isGenerated).map(({ path }) => path);
    for (const path of generated) io.out(`A key is generated in ${path}, unless that exists.\n`);
    for (const { path } of service.inputs.filter(({ isPaired }) => isPaired))
      io.out(`The key of the pairing is written to ${path}.\n`);
    io.out(describePlan(plan));
    return 0;
  }
  await prepare(plan, io);
  const newKey = generateAdminKey(installation);
  const paired = pairing && (await pairService(service, pairing, print));
  await carryOut(paired ? manager.install(paired, machine) : plan, io);
  const rows = [...summary(installation, places(service.name)), ...adminKeyRows(installation, newKey, io)];
  io.out(`Installed and started the service ${service.name}.\n\n${table(rows, { indent: "  " })}\n`);
  for (const note of manager.notes(service, machine)) io.out(`${note}\n`);
  const isHealthy = await answers(installation, healthTries);
  // Another server may have answered, which holds the port.
  const check = installation.config && manager.isActive?.(service.name, machine);
  if (isHealthy && (check === undefined || (await passThrough(check, io.env)) === 0)) return 0;
  io.err(`${PROGRAM}: The server does not answer yet. Its log says why; see above how to read it.\n`);
  return 1;
}

/** Returns the admin key if it was generated just now. */
function generateAdminKey({ service }: Installation): string | undefined {
  const generated = service.inputs.find(({ isGenerated }) => isGenerated);
  if (generated === undefined) return undefined;
  const isNew = !existsSync(generated.path);
  const key = readOrCreateKey(generated.path, adminKey.schema);
  return isNew ? key : undefined;
}

function summary({ service, config }: Installation, { description, log }: Places): string[][] {
  const { kind, name, data, executable } = service;
  const [own = ""] = name
    .split(serviceName(kind, undefined))
    .slice(1)
    .map((end) => end && ` --service-name ${end.slice(1)}`);
  const rows = [["Service", description]];
  if (data) rows.push(["Data", data.path]);
  if (log) rows.push(["Log", log]);
  if (config && data) {
    const addresses = listenAddresses(config.host, networkInterfaces());
    const url = browserUrl({ config, port: config.port, addresses });
    rows.push(["Dashboard", `${url}/dashboard`]);
    rows.push(["Agents", "This prints the addresses to paste into agents:"]);
    rows.push(["", agentsCommand("address", { ...config, data: data.path }, config.port)]);
  }
  const call = `${shellQuote(executable)} ${kind}`;
  return [...rows, ["Status", `${call} status${own}`], ["Logs", `${call} logs --follow${own}`]];
}

/** Shows a generated key once, on a terminal, as the server does. Elsewhere a log would keep it. */
function adminKeyRows({ adminKeyPath }: Installation, newKey: string | undefined, io: Terminal): string[][] {
  if (adminKeyPath === undefined) return [];
  if (newKey === undefined || !io.isTerminal)
    return [["Admin key", `in ${adminKeyPath}. Sign in to the dashboard with it.`]];
  return [
    ["Admin key", newKey],
    ["", `Sign in to the dashboard with it. It is kept in ${adminKeyPath}, and not shown again.`],
  ];
}

/** A server that gets its first certificate may take this much longer to start. */
const ORDER_FACTOR = 6;

/** Waits until a server answers; an agent need not. systemd and the others only know that its process was started. */
async function answers({ config }: Installation, tries: number): Promise<boolean> {
  if (config === undefined) return true;
  const { port, host, tlsCert, domains } = config;
  const args = ["--port", String(port)];
  if (host !== undefined) args.push("--host", host);
  if (tlsCert !== undefined) args.push("--tls-cert", tlsCert);
  if (domains !== undefined) args.push("--domain", domains.join(","));
  const quiet: Terminal = { env: {}, out: () => {}, err: () => {} };
  // The server answers when it has its first certificate.
  for (let left = domains === undefined ? tries : tries * ORDER_FACTOR; left > 0; left--) {
    try {
      return (await health(args, quiet)) === 0;
    } catch {
      await Bun.sleep(500);
    }
  }
  return false;
}

async function uninstall({ kind, args, io, machine }: Call): Promise<number> {
  const { flags, positionals } = readArgs({ args, env: {} }, { settings: [], flags: INSTALL_FLAGS });
  refuseArguments(positionals);
  const name = serviceName(kind, flags["service-name"]);
  const manager = managerOf(machine);
  const { description, keys, data, log } = manager.places(name, machine);
  if (!existsSync(description)) throw notInstalled(name, description);
  refuseForeign(description);
  const plan = manager.uninstall(name, machine);
  if (flags["dry-run"]) {
    io.out(describePlan(plan));
    return 0;
  }
  await carryOut(plan, io);
  io.out(`Stopped and removed the service ${name}.\n`);
  const kept = [...(kind === "serve" ? [data] : []), keys, ...(log ? [log] : [])].filter(existsSync);
  if (kept.length > 0)
    io.out(`These are kept. Delete them if they are no longer needed: ${kept.join(", ")}\n`);
  return 0;
}

async function status({ kind, args, io, machine }: Call): Promise<number> {
  const { flags, positionals } = readArgs({ args, env: {} }, { settings: [], flags: NAME_FLAG });
  refuseArguments(positionals);
  const name = serviceName(kind, flags["service-name"]);
  const at = installedFor(name, machine);
  return await passThrough(managerOf(at).status(name, at), io.env);
}

async function logs({ kind, args, io, machine }: Call): Promise<number> {
  const { flags, positionals } = readArgs({ args, env: {} }, { settings: [], flags: LOGS_FLAGS });
  refuseArguments(positionals);
  const name = serviceName(kind, flags["service-name"]);
  const at = installedFor(name, machine);
  return await passThrough(managerOf(at).logs(name, at, { follow: flags.follow }), io.env);
}

/** Any user may see the service of the system. It is shown to those who have none of their own. */
function installedFor(name: string, machine: Machine): Machine {
  const candidates = [machine, { ...machine, isAdmin: true }];
  const found = candidates.find((each) => existsSync(managerOf(each).places(name, each).description));
  if (found) return found;
  throw notInstalled(name, managerOf(machine).places(name, machine).description);
}

function notInstalled(name: string, description: string): CommandError {
  return new CommandError(
    `There is no service ${name}: ${description} does not exist. A service is removed by the user who installed it; --service-name names one of several.`,
  );
}

function refuseArguments(positionals: readonly string[]): void {
  if (positionals.length > 0)
    throw usageError("There is an argument too many. Give flags only, such as --service-name.");
}
