import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import type { Config } from "../config/settings.ts";
import { isLoopbackHost } from "../net/addresses.ts";
import { table } from "./text-table.ts";
import { PROGRAM } from "./version.ts";

interface Banner {
  config: Config;
  /** The port that the server listens on. */
  port: number;
  agentKey: string;
  /** Signs the administrator in once. */
  signInCode?: string | undefined;
  /** The result of `listenAddresses`. */
  addresses: readonly string[];
  version: string;
}

/** The part of the result of `os.networkInterfaces` that is used here. */
type Interfaces = Record<string, readonly { address: string; internal: boolean }[] | undefined>;

const ADMIN_KEY_LENGTH_GOOD = 16;

/** Returns the addresses of a server that listens on `host`, loopback first. Link-local ones are left out. */
export function listenAddresses(host: string | undefined, interfaces: Interfaces): string[] {
  if (host !== undefined && host !== "0.0.0.0" && host !== "::") return [host];
  const others = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(({ address, internal }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address)
    .filter((address) => host !== "0.0.0.0" || !isIPv6(address));
  const ipv4First = others.sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
  return ["127.0.0.1", ...ipv4First];
}

/**
 * Returns what the operator needs next. The addresses for agents and the dashboard's first link contain
 * secrets, as they must be pasted whole.
 */
export function banner(options: Banner): string {
  const { config, port, signInCode, addresses, version } = options;
  const at = addresses.map((address) => `${isIPv6(address) ? `[${address}]` : address}:${port}`);
  const urls = at.map((address) => `${scheme("http", config)}://${address}`);
  const [url] = urls;
  const rows = [
    ...labeled("Listening", urls),
    // The browser keeps what follows the `#` to itself, so no server and no log sees it.
    ["Dashboard", `${url}/dashboard${signInCode ? `#code=${signInCode}` : ""}`],
    ["Data", resolve(config.data)],
    ...labeled("Agents", agentLines(options, at)),
    ...modelLines(config),
    ["Try", `curl ${url}/api/ask -H "Authorization: $ADMIN_KEY" -d '{"content":"Hello"}'`],
  ];
  const notes = warnings(config, addresses).map((warning) => `\n${warning}\n`);
  return [`${PROGRAM} ${version}\n\n`, table(rows, { indent: "  " }), ...notes, "\n"].join("");
}

function scheme(plain: "http" | "ws", { tlsCert }: Config): string {
  return tlsCert === undefined ? plain : `${plain}s`;
}

function labeled(label: string, lines: readonly string[]): string[][] {
  return lines.map((line, index) => [index === 0 ? label : "", line]);
}

/** The Firefox agent takes an endpoint without a scheme, and adds `/client/register` itself. */
function agentLines({ config, agentKey, addresses }: Banner, at: readonly string[]): string[] {
  const path = config.agents === "open" ? "" : `/agents/${agentKey}`;
  // Behind a trusted proxy on this machine, local agents look like any other, and need the key too.
  const localPath = config.agentKey !== undefined || config.trustProxy !== undefined ? path : "";
  const own = addresses.findIndex(isLoopbackHost);
  const other = addresses.findIndex((address) => !isLoopbackHost(address));
  const local = own < 0 ? [] : [`${at[own]}${localPath}`];
  const remote = other < 0 ? [] : [`${at[other]}${path}`];
  const [best] = [...remote, ...local];
  return [
    ...local.map((address) => `on this machine  ${address}`),
    ...remote.map((address) => `from elsewhere   ${address}`),
    `as a full URL    ${scheme("ws", config)}://${best}/client/register`,
  ];
}

function modelLines({ echo, upstream, slots }: Config): string[][] {
  if (echo) return [["Model", "echo, which repeats each question"]];
  return upstream === undefined ? [] : [["Upstream", `${upstream}, up to ${slots} concurrent requests`]];
}

function warnings(config: Config, addresses: readonly string[]): string[] {
  const reachable = addresses.some((address) => !isLoopbackHost(address));
  const lines: string[] = [];
  if (config.agents === "open")
    lines.push(
      "WARNING: --agents open lets anyone who can reach this port register an agent and read what users ask.",
    );
  if (reachable && config.adminKey.length < ADMIN_KEY_LENGTH_GOOD)
    lines.push(
      "The admin key is short for a server that others can reach. `openssl rand -hex 16` prints a better one.",
    );
  return lines;
}
