import { type Kind, list, parsed } from "./kinds.ts";

export const database: Kind<string> = {
  value: "<URL>",
  schema: parsed((text) => {
    const url = URL.parse(text);
    const isComplete = url?.hostname && /^\/[^/]+$/.test(url.pathname);
    if (!isComplete || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
    // The client of the database decodes these parts, and fails otherwise.
    return [url.username, url.password, url.pathname].every(isEncoded) ? text : undefined;
  }, "Give one address, such as postgres://user:password@host:5432/database, with %25 for % and %40 for @ in the password."),
};

/** Whether each percent sign begins a character, as in `%40`. */
export function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the address of a service, and what in it is secret. */
export function secretsInAddress(address: string): string[] {
  const { protocol, username, password, searchParams } = new URL(address);
  // NATS takes a token in the place of the user.
  const isToken = password === "" && !protocol.startsWith("postgres");
  const inQuery = [...searchParams].flatMap(([name, value]) => (/pass/i.test(name) ? value : []));
  const secrets = [address, decodeURIComponent(isToken ? username : password), ...inQuery];
  return secrets.filter((text) => text !== "");
}

/** Returns the address of a webhook, and its secret parts: everybody who knows the path and the query can post there. */
export function secretsInWebhook(address: string): string[] {
  const { href, password, pathname, search } = new URL(address);
  return [href, decodeURIComponent(password), pathname, search].filter((text) => text.length > 1);
}

/** Returns the name of a database and its host, without user and password. */
export function shownDatabase(address: string): string {
  const { host, pathname } = new URL(address);
  return `${decodeURIComponent(pathname.slice(1))} at ${host} (PostgreSQL)`;
}

const NATS_ADVICE =
  "Give addresses such as nats://user:password@host:4222 or tls://host, separated by commas.";

export const natsServers: Kind<readonly string[]> = {
  value: "<URLs>",
  schema: parsed((text) => {
    const servers = list(text);
    return servers.every(isNatsServer) ? Object.freeze(servers) : undefined;
  }, NATS_ADVICE),
  show: (servers) => servers.join(","),
};

function isNatsServer(text: string): boolean {
  const url = URL.parse(text);
  if (!url?.hostname || !/^(nats|tls):$/.test(url.protocol)) return false;
  const hasMore = (url.pathname !== "" && url.pathname !== "/") || url.search || url.hash;
  return !hasMore && [url.username, url.password].every(isEncoded);
}
