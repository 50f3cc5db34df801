import { Secrets } from "../../log/secrets.ts";
import type { WebhookSettings } from "./settings.ts";

/**
 * Returns an answer of the receiver without what the settings keep secret. Many programs repeat the path in their
 * answer, such as "Cannot POST /services/T0/B0/x", and the answer is in the log and on the overview.
 */
export function concealed(answer: string, { url, secret }: Pick<WebhookSettings, "url" | "secret">): string {
  const secrets = new Secrets();
  // The longest first, as none of the others is found once a part of it is hidden.
  const parts = [...partsOf(new URL(url)), ...(secret === undefined ? [] : [secret])];
  for (const part of parts.toSorted((one, other) => other.length - one.length)) secrets.add(part);
  return secrets.hide(answer);
}

function partsOf(url: URL): string[] {
  const { href, pathname, search, username, password } = url;
  const login = `${decoded(username)}:${decoded(password)}`;
  const encoded = [href, pathname + search, ...pathname.split("/"), password, search.slice(1)];
  const texts = [...encoded, ...encoded.map(decoded), ...url.searchParams.values()];
  return [...texts, ...(login === ":" ? [] : [login, Buffer.from(login).toString("base64")])];
}

/** A path may have a `%` that encodes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
