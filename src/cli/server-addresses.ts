import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import { type PublicUrlSettings, publicUrlOf } from "../config/public-url.ts";
import type { Config } from "../config/settings.ts";
import { isLoopbackHost } from "../net/addresses.ts";
import { shellQuote } from "../shell-quote.ts";
import { PROGRAM } from "./version.ts";

/** The settings that decide whether a server speaks TLS. */
export type TlsSettings = Pick<Config, "tlsCert" | "domains">;

/** A server as agents reach it. */
export interface AgentServer extends Listening {
  config: Pick<Config, "agents"> & TlsSettings & PublicUrlSettings;
  /** The main agent key, or what stands for it. */
  agentKey: string;
}

/** Returns a host or an address with a port. */
export function withPort(address: string, port: number): string {
  return `${hostOf(address)}:${port}`;
}

/** Returns a host or an address as it stands in a URL. */
function hostOf(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** Whether the server speaks TLS only. */
export function hasTls({ tlsCert, domains }: TlsSettings): boolean {
  return tlsCert !== undefined || domains !== undefined;
}

/** Returns `http` or `ws`, with an `s` if the server has a certificate. */
export function scheme(plain: "http" | "ws", settings: TlsSettings): string {
  return hasTls(settings) ? `${plain}s` : plain;
}

/** Returns the URL of a server at one of its addresses, without the port if it is the scheme's own. */
export function urlAt(address: string, port: number, config: TlsSettings): string {
  const isDefault = port === (hasTls(config) ? 443 : 80);
  const host = isDefault ? hostOf(address) : withPort(address, port);
  return `${scheme("http", config)}://${host}`;
}

/** A server that listens on some addresses. */
interface Listening {
  config: TlsSettings & PublicUrlSettings;
  port: number;
  /** The result of `listenAddresses`. */
  addresses: readonly string[];
}

/** The URLs of a server, without a path. */
export interface ServerUrls {
  /** Works on the server's machine. */
  own: string | undefined;
  /** Works on other machines: the public one, if the settings say it. */
  elsewhere: string | undefined;
}

export function serverUrls({ config, port, addresses }: Listening): ServerUrls {
  const at = (address: string | undefined) => address && urlAt(address, port, config);
  return {
    own: at(addresses.find(isLoopbackHost)),
    elsewhere: publicUrlOf(config) ?? at(addresses.find((address) => !isLoopbackHost(address))),
  };
}

/** Returns the URL to open in a browser: the public one, or else one that works on the server's machine. */
export function browserUrl(server: Listening): string {
  const { own, elsewhere } = serverUrls(server);
  return publicUrlOf(server.config) ?? own ?? elsewhere ?? "";
}

/**
 * Returns a line for each address that an operator can paste into an agent. The key is a part of each, unless
 * no agent needs one. The Firefox agent takes an address without a scheme, and adds `/client/register` itself.
 * Without a scheme there is no TLS.
 */
export function agentAddressLines({ agentKey, ...server }: AgentServer): string[] {
  const path = server.config.agents === "open" ? "" : `/agents/${agentKey}`;
  const { own, elsewhere } = serverUrls(server);
  const best = elsewhere ?? own;
  const pasted = (url: string) => `${withoutScheme(url)}${path}`;
  return [
    ...(own === undefined ? [] : [`on this machine  ${pasted(own)}`]),
    ...(elsewhere === undefined ? [] : [`from elsewhere   ${pasted(elsewhere)}`]),
    ...(best === undefined ? [] : [`as a full URL    ${best.replace(/^http/, "ws")}${path}/client/register`]),
  ];
}

/** Keeps the scheme of TLS. The port is there in any case, as the built-in agent would take another for the default. */
function withoutScheme(url: string): string {
  const { protocol, host, port } = new URL(url);
  return protocol === "https:" ? url : `${host}${port === "" ? ":80" : ""}`;
}

/** Returns the command that prints the addresses, or a pairing code, of a server with these settings. */
export function agentsCommand(
  subcommand: "address" | "pair",
  config: Pick<Config, "data" | "host"> & TlsSettings & Pick<PublicUrlSettings, "publicUrl">,
  port: number,
): string {
  const flags = {
    "--data": resolve(config.data),
    "--port": port,
    "--host": config.host,
    "--public-url": config.publicUrl,
  };
  const words = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, shellQuote(String(value))],
  );
  if (config.tlsCert !== undefined) words.push("--tls-cert", shellQuote(config.tlsCert));
  if (config.domains !== undefined) words.push("--domain", config.domains.join(","));
  return [PROGRAM, "agents", subcommand, ...words].join(" ");
}
