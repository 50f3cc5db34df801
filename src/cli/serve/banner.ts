import { resolve } from "node:path";
import { publicUrlOf } from "../../config/public-url.ts";
import type { Environment } from "../../config/read.ts";
import { shownDatabase } from "../../config/service-addresses.ts";
import { type Config, variablesOf } from "../../config/settings.ts";
import type { Slots } from "../../config/upstream-kinds.ts";
import { ADMIN_KEY_NAME, adminKeyIn, agentKeyIn } from "../../data-folder.ts";
import { isLoopbackHost } from "../../net/addresses.ts";
import { isAdminKeyWeak } from "../../server/alerts/admin-key.ts";
import { shellQuote } from "../../shell-quote.ts";
import { agentAddressLines, agentsCommand, browserUrl, hasTls, urlAt } from "../server-addresses.ts";
import { table } from "../terminal/text-table.ts";
import { PROGRAM } from "../version.ts";

interface Banner {
  config: Config;
  env: Environment;
  /** The source of the admin key, as `Origins` has it. */
  adminKeyFrom: string;
  /** The admin key, if it was generated just now. */
  newAdminKey?: string | undefined;
  /** The port that the server listens on. */
  port: number;
  agentKey: string;
  /** Signs the administrator in once. */
  signInCode?: string | undefined;
  /** The result of `listenAddresses`. */
  addresses: readonly string[];
  version: string;
  /** Whether only the person at the terminal reads the banner, and no log keeps it. */
  isPrivate: boolean;
}

/**
 * Returns what the operator needs next. The addresses for agents and the dashboard's first link contain
 * secrets, as they must be pasted whole. If the banner is not private, they are left out, and the banner says
 * where the secrets are. It contains the admin key only if that was generated just now.
 */
export function banner(options: Banner): string {
  const { config, port, addresses, version } = options;
  const urls = addresses.map((address) => urlAt(address, port, config));
  const url = browserUrl(options);
  const rows = [
    ...labeled("Listening", urls),
    ["Dashboard", `${url}/dashboard${signInFragment(options)}`],
    ...labeled("Admin key", newAdminKeyLines(options)),
    dataRow(config),
    ...labeled("Agents", agentLines(options)),
    ...labeled(...modelLines(options)),
    ["Try", tryLine(options, url)],
  ];
  const notes = warnings(config, addresses).map((warning) => `\n${warning}\n`);
  return [`${PROGRAM} ${version}\n\n`, table(rows, { indent: "  " }), ...notes, "\n"].join("");
}

function dataRow({ data, database }: Config): string[] {
  return database === undefined ? ["Data", resolve(data)] : ["Database", shownDatabase(database)];
}

function labeled(label: string, lines: readonly string[]): string[][] {
  return lines.map((line, index) => [index === 0 ? label : "", line]);
}

/** The browser keeps what follows the `#` to itself, so no server and no log sees it. */
function signInFragment({ signInCode, isPrivate }: Banner): string {
  return signInCode && isPrivate ? `#code=${signInCode}` : "";
}

function newAdminKeyLines({ config, newAdminKey, isPrivate }: Banner): string[] {
  if (newAdminKey === undefined || !isPrivate) return [];
  return [newAdminKey, `It is kept in ${adminKeyIn(resolve(config.data))}, and not shown again.`];
}

function agentLines({ config, port, addresses, agentKey, isPrivate }: Banner): string[] {
  const lines = agentAddressLines({
    config,
    port,
    addresses,
    agentKey: isPrivate ? agentKey : "<agent key>",
  });
  if (isPrivate || config.agents === "open") return lines;
  if (config.agentKey !== undefined) return [...lines, "The agent key is the one that you set."];
  const source =
    config.clusterKey === undefined
      ? `The agent key is in ${agentKeyIn(resolve(config.data))}. This prints`
      : "The agent key is derived from the cluster key. With the same settings this prints";
  return [...lines, `${source} the addresses with it:`, agentsCommand("address", config, port)];
}

function modelLines({ config, port }: Banner): [string, string[]] {
  const { echo, upstreams, slots } = config;
  if (echo) return ["Model", ["echo, which repeats each question"]];
  if (upstreams !== undefined)
    return [
      upstreams.length > 1 ? "Upstreams" : "Upstream",
      upstreams.map((url, index) => url + slotsText(slots[index] ?? slots[0])),
    ];
  return [
    "Model",
    [
      `No model yet. "Pair an agent" on the dashboard, or this, prints what to run beside a model:`,
      agentsCommand("pair", config, port),
      "For a model beside this server, restart with --upstream <url>. To try the server, restart with --echo.",
    ],
  ];
}

/** Returns a command that works when it is pasted into a shell (bash or zsh) of the server's machine. */
function tryLine(options: Banner, url: string): string {
  const { config } = options;
  // The certificate names the public host.
  const flags = hasTls(config) && isLoopbackHost(new URL(url).hostname) ? "-k " : "";
  const { before = "", key } = adminKeyInShell(options);
  return `${before}curl ${flags}${url}/api/ask -H "Authorization: ${key}" -d '{"content":"Hello"}'`;
}

/**
 * Returns shell words for the admin key that do not contain it: the variable or the file that has it. If the
 * key was an argument, the shell asks for it, because the argument may come from a place that is not shown.
 */
function adminKeyInShell({ config, env, adminKeyFrom }: Banner): { before?: string; key: string } {
  const variable = variablesOf("adminKey").find((name) => env[name] === config.adminKey);
  if (variable !== undefined) return { key: `$${variable}` };
  const isKept = adminKeyFrom === ADMIN_KEY_NAME;
  const file = isKept ? adminKeyIn(config.data) : adminKeyFrom.endsWith("_FILE") && env[adminKeyFrom];
  if (file) return { key: `$(cat ${shellQuote(resolve(file))})` };
  return { before: "printf 'Admin key: '; read -rs ADMIN_KEY; ", key: "$ADMIN_KEY" };
}

function warnings(config: Config, addresses: readonly string[]): string[] {
  const publicUrl = publicUrlOf(config);
  const lines: string[] = [];
  if (config.agents === "open")
    lines.push(
      "WARNING: --agents open lets anyone who can reach this port register an agent and read what users ask.",
    );
  if (config.agents === "local")
    lines.push(
      "WARNING: --agents local lets every program on this machine, and whatever a proxy or a tunnel passes on without\nsaying so, register an agent and read what users ask.",
    );
  if (isAdminKeyWeak(config, addresses))
    lines.push(
      "The admin key is short for a server that others can reach. `openssl rand -hex 16` prints a better one.",
    );
  if (config.nats && publicUrl === undefined)
    lines.push(
      "These addresses are those of this node alone. Give all nodes the address of the cluster, such as its load\nbalancer's, with --public-url.",
    );
  return lines;
}

function slotsText(slots: Slots | undefined): string {
  return slots === undefined || slots === "auto" ? "" : `, up to ${slots} concurrent requests`;
}
