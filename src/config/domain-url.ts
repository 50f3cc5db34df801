import type { Config } from "./settings.ts";

/** The port of `https` that addresses leave out. */
const HTTPS_PORT = 443;

/** Returns the address of a server that listens on this port, by one of its names: `https://chat.example.com`. */
export function domainUrl(domain: string, port: number): string {
  return `https://${domain}${port === HTTPS_PORT ? "" : `:${port}`}`;
}

/** Returns the address of a server with `--domain`, by its first name; undefined for another server. */
export function domainUrlOf({ domains, port }: Pick<Config, "domains" | "port">): string | undefined {
  const [first] = domains ?? [];
  return first === undefined ? undefined : domainUrl(first, port);
}
