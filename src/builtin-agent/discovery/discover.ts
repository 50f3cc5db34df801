import { isSameServer } from "../server/server-address.ts";
import { type IdentifyOptions, type Identity, identify } from "./identify.ts";
import { DEFAULT_PORTS } from "./kinds.ts";

/** A model server found on this machine. */
export interface FoundServer {
  /** The product's name. */
  name: string;
  /** The name in the name of an agent. */
  slug: string;
  /** The OpenAI-compatible base URL. */
  url: string;
  models: readonly string[];
  /** Other base URLs at which the same process seems to answer. */
  alsoAt: readonly string[];
}

export interface DiscoverOptions extends IdentifyOptions {
  /** The address of the server that this agent connects to. It is never taken for a model server. */
  server: string;
  /** Default: those of the known model servers. */
  ports?: readonly number[];
}

/**
 * Looks on this machine for the usual model servers, at their default ports, and recognizes them by what they answer.
 * Returns those that run, in the order of the ports. A process that answers at two ports is returned once.
 */
export async function discover({
  server,
  ports = DEFAULT_PORTS,
  ...options
}: DiscoverOptions): Promise<FoundServer[]> {
  const origins = [...new Set(ports)].map((port) => `http://127.0.0.1:${port}`);
  const others = origins.filter((origin) => !isSameServer(origin, server));
  const identities = await Promise.all(others.map((origin) => identify(origin, options)));
  const found = new Map<string, { identity: Identity; urls: string[] }>();
  for (const [index, identity] of identities.entries()) {
    if (identity === undefined) continue;
    found.getOrInsert(identity.fingerprint, { identity, urls: [] }).urls.push(`${others[index]}/v1`);
  }
  return [...found.values()].map(({ identity: { kind, models }, urls: [url = "", ...alsoAt] }) => ({
    ...{ name: kind.name, slug: kind.slug, url, alsoAt },
    models: models.map(({ id }) => id),
  }));
}
