import { decodeHeader, readBearer } from "./bearer.ts";

/** The headers in which clients send a key: OpenAI's, Anthropic's and Azure's. */
const NAMES = ["authorization", "x-api-key", "api-key"];
const OTHER_NAMES = NAMES.slice(1);
const SHOWN: Record<string, string> = { authorization: "Authorization" };

export const hasKey = (headers: Headers): boolean => NAMES.some((name) => headers.has(name));

/** Returns the different keys in the headers. An empty header counts only if there is no other. */
export function keysOf(headers: Headers): string[] {
  const bearer = readBearer(headers);
  const keys = bearer === undefined ? [] : [bearer];
  for (const name of OTHER_NAMES) {
    const value = headers.get(name);
    if (value === null) continue;
    const key = decodeHeader(value);
    if (!keys.includes(key)) keys.push(key);
  }
  return keys.length > 1 ? keys.filter((key) => key !== "") : keys;
}

/** Returns the names of the headers that have a key, for an error: "`Authorization` and `x-api-key`". */
export function keyHeadersOf(headers: Headers): string {
  const names = NAMES.filter((name) => headers.has(name)).map((name) => `\`${SHOWN[name] ?? name}\``);
  return new Intl.ListFormat("en").format(names);
}
