import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import type { Config } from "../config/settings.ts";
import { isLoopbackHost } from "../net/addresses.ts";
import { shellQuote } from "../shell-quote.ts";
import { PROGRAM } from "./version.ts";

/** The settings that decide whether a server speaks TLS. */
export type TlsSettings = Pick<Config, "tlsCert" | "domains">;

/** A server as agents reach it. */
export interface AgentServer {
  config: Pick<Config, "agents"> & TlsSettings;
  port: number;
  /** The result of `listenAddresses`. */
  addresses: readonly string[];
  /** The main agent key, or what stands for it. */
  agentKey: string;
}

/** The part of the result of `os.networkInterfaces` that is used here. */
type Interfaces = Record<string, readonly { address: string; internal: boolean }[] | undefined>;

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

/** Returns a host or an address with a port. */
export function withPort(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

/** Whether the server speaks TLS only. */
export function hasTls({ tlsCert, domains }: TlsSettings): boolean {
  return tlsCert !== undefined || domains !== undefined;
}

/** Returns `http` or `ws`, with an `s` if the server has a certificate. */
export function scheme(plain: "http" | "ws", settings: TlsSettings): string {
  return hasTls(settings) ? `${plain}s` : plain;
}

/**
 * Returns a line for each address that an operator can paste into an agent. The key is a part of each, unless
 * no agent needs one. The Firefox agent takes an address without a scheme, and adds `/client/register` itself.
 * Without a scheme there is no TLS.
 */
export function agentAddressLines({ config, port, addresses, agentKey }: AgentServer): string[] {
  const path = config.agents === "open" ? "" : `/agents/${agentKey}`;
  const start = hasTls(config) ? "https://" : "";
  const at = (address: string) => `${withPort(address, port)}${path}`;
  const own = addresses.find(isLoopbackHost);
  const other = addresses.find((address) => !isLoopbackHost(address));
  const best = other ?? own;
  return [
    ...(own === undefined ? [] : [`on this machine  ${start}${at(own)}`]),
    ...(other === undefined ? [] : [`from elsewhere   ${start}${at(other)}`]),
    ...(best === undefined ? [] : [`as a full URL    ${scheme("ws", config)}://${at(best)}/client/register`]),
  ];
}

/** Returns the command that prints the addresses with the key of a server with these settings. */
export function addressCommand(config: Pick<Config, "data" | "host"> & TlsSettings, port: number): string {
  const flags = { "--data": resolve(config.data), "--port": port, "--host": config.host };
  const words = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, shellQuote(String(value))],
  );
  if (config.tlsCert !== undefined) words.push("--tls-cert", shellQuote(config.tlsCert));
  if (config.domains !== undefined) words.push("--domain", config.domains.join(","));
  return [PROGRAM, "agents", "address", ...words].join(" ");
}
