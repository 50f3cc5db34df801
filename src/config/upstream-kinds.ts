import { type Kind, list, parsed, secret } from "./kinds.ts";

const UPSTREAMS_MAX = 16;

function baseUrl(text: string): string | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!url?.hostname || !/^https?:$/.test(url.protocol)) return undefined;
  const hasMore = url.username || url.password || url.search || url.hash;
  return hasMore ? undefined : url.href.replace(/\/+$/, "");
}

/** The base URLs of model servers, each once. */
export const baseUrls: Kind<readonly string[]> = {
  value: "<URL>",
  schema: parsed((text) => {
    const urls = list(text).flatMap((part) => baseUrl(part) ?? []);
    return urls.length === list(text).length ? urls : undefined;
  }, "Give a base URL such as http://localhost:11434/v1, without a user, a password or a query.")
    .refine((urls) => new Set(urls).size === urls.length, "Give each base URL once.")
    .refine((urls) => urls.length <= UPSTREAMS_MAX, `Give at most ${UPSTREAMS_MAX} base URLs.`)
    .transform((urls) => Object.freeze(urls)),
  show: (urls) => urls.join(","),
};

/** The word for an upstream that needs no key. */
const NO_KEY = "none";
const key = secret().regex(/^[\x21-\x7e]+$/);
const isKey = (text: string) => key.safeParse(text).success;

/** The keys of several upstreams, one on a line, as a key may contain any other separator. */
export const upstreamKeys: Kind<readonly (string | undefined)[]> = {
  value: "<key>",
  schema: parsed((text) => {
    const lines = text.split(/\r?\n/);
    if (!lines.every(isKey)) return undefined;
    return Object.freeze(lines.map((line) => (line === NO_KEY ? undefined : line)));
  }, "Give printable ASCII characters, without blanks."),
};

/** The slots of an upstream: a number, or what the upstream says. */
export type Slots = number | "auto";

const SLOTS_MAX = 240;

function readSlots(text: string): Slots | undefined {
  if (text === "auto") return text;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= 1 && value <= SLOTS_MAX ? value : undefined;
}

/** The slots of all upstreams, or of each one in their order. */
export const slots: Kind<readonly Slots[]> = {
  value: "<number>",
  schema: parsed((text) => {
    const values = list(text).flatMap((part) => readSlots(part) ?? []);
    return values.length === list(text).length ? Object.freeze(values) : undefined;
  }, `Give a number from 1 to ${SLOTS_MAX}, or auto.`),
  show: (values) => values.join(","),
};
