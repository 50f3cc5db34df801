import { domainUrlOf } from "./domain-url.ts";
import type { Config } from "./settings.ts";

/** The settings that decide the public address. */
export type PublicUrlSettings = Pick<Config, "publicUrl" | "domains" | "port">;

/**
 * Returns the origin at which users and agents reach the server, such as `https://chat.example.com`: without a path, and
 * without the port if it is the scheme's own. A server with `--domain` is reached there, unless the settings say
 * otherwise. Undefined if they do not say it at all.
 */
export function publicUrlOf(settings: PublicUrlSettings): string | undefined {
  return settings.publicUrl ?? domainUrlOf(settings);
}
