import { isIP } from "node:net";
import { z } from "zod";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../durations.ts";
import { LOST_KEY } from "../lost-key.ts";
import { PRINTABLE } from "../printable.ts";

/** A kind of value: how it is read, and how it is shown. */
export interface Kind<Value> {
  /** Stands for the value in help texts. */
  value: string;
  /** Reads a text. Its messages are sentences that say what to do and never repeat the text. */
  schema: z.ZodType<Value, string | undefined>;
  /** Writes a value as an operator would. */
  show?(value: Value): string;
}

/** Returns the schema of a text. Refuses with `advice` a text for which `parse` returns undefined. */
export function parsed<Value>(parse: (text: string) => Value | undefined, advice: string) {
  return z.string().transform((text, context): Value => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(advice);
    return z.NEVER;
  });
}

const TIMES = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS, s: SECOND_MS, ms: 1 };
const SIZES = { GB: 1024 ** 3, MB: 1024 ** 2, KB: 1024, B: 1 };

function amount(what: string, min: string, max: string, units: Record<string, number>, bareUnit: number) {
  const read = (text: string) => {
    const [, digits, unit] = /^(\d{1,15}(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
    const name = Object.keys(units).find((name) => name === unit || name === unit?.toUpperCase());
    return unit && !name ? Number.NaN : Math.round(Number(digits) * (units[name ?? ""] ?? bareUnit));
  };
  const bounded = (text: string) => {
    const value = read(text);
    return value >= read(min) && value <= read(max) ? value : undefined;
  };
  const show = (value: number) => {
    const [unit, size] = Object.entries(units).find(([, size]) => value % size === 0) ?? ["", 1];
    return value === 0 ? "0" : `${value / size}${unit}`;
  };
  return { schema: parsed(bounded, `Give ${what}, from ${min} to ${max}.`), show };
}

export const time = (min: string, max: string): Kind<number> => ({
  value: "<time>",
  ...amount("a time such as 500ms, 90s, 5m or 2h", min, max, TIMES, TIMES.s),
});

export const size = (min: string, max: string): Kind<number> => ({
  value: "<size>",
  ...amount("a size such as 512KB or 20MB", min, max, SIZES, SIZES.B),
});

export const whole = (what: string, min: number, max: number): Kind<number> => ({
  value: `<${what}>`,
  schema: parsed((text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  }, `Give a ${what} from ${min} to ${max}.`),
});

/** A number that may be negative or have decimals, if `pattern` lets it. */
const decimal = (pattern: RegExp, isInBounds: (value: number) => boolean, what: string): Kind<number> => ({
  value: "<number>",
  schema: parsed((text) => {
    const value = pattern.test(text) ? Number(text) : Number.NaN;
    return isInBounds(value) ? value : undefined;
  }, `Give a ${what}.`),
});

export const priority = decimal(
  /^-?\d{1,4}$/,
  (value) => Math.abs(value) <= 1000,
  "whole number from -1000 to 1000",
);

export const weight = decimal(
  /^\d{1,4}(\.\d{1,9})?$/,
  (value) => value > 0 && value <= 1000,
  "number above 0, at most 1000",
);

export const choice = <const Names extends readonly string[]>(...names: Names) => ({
  value: names.join("|"),
  schema: z.enum(names, `Give one of: ${names.join(", ")}.`),
});

export const yesNo: Kind<boolean> = {
  value: "",
  schema: z.enum(["yes", "no"], "Give yes or no, or the flag alone.").transform((text) => text === "yes"),
  show: (value) => (value ? "yes" : "no"),
};

export const folder: Kind<string> = { value: "<folder>", schema: z.string().min(1, "Give a folder.") };

export const file: Kind<string> = { value: "<file>", schema: z.string().min(1, "Give a file.") };

/** A list of texts, separated by commas. */
export const list = (text: string) => text.split(",").map((part) => part.trim());

/** A list of lower-case texts that match the pattern. The word `none` is the empty list. */
const lowerCaseList = (value: string, pattern: RegExp, what: string): Kind<readonly string[]> => ({
  value,
  schema: parsed((text) => {
    const parts = text === "none" ? [] : list(text.toLowerCase());
    return parts.every((part) => pattern.test(part)) ? Object.freeze(parts) : undefined;
  }, `Give ${what}, separated by commas, or none.`),
  show: (parts) => parts.join(",") || "none",
});

// A last label of digits is a mistyped IP address.
const HOST_NAME = /^(?=.{1,253}$)(?!(.*\.)?\d+$)[\w-]+(\.[\w-]+)*$/;
const HOST_NAMES = "host names such as chat.example.com, without a port";
export const hostNames = lowerCaseList("<names>", HOST_NAME, HOST_NAMES);

const ORIGIN = /^(null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i;
export const origins = lowerCaseList("<origins>", ORIGIN, "web origins such as https://chatgpt.com");

export const host: Kind<string> = {
  value: "<address>",
  schema: parsed((text) => {
    const name = text.replace(/^\[(.*)\]$/, "$1");
    return isIP(name) > 0 || HOST_NAME.test(name) ? name : undefined;
  }, "Give an IP address or a host name, without a port."),
};

/** An origin that can stand in a shell command without quotes. */
export const publicUrl: Kind<string> = {
  value: "<URL>",
  schema: parsed((text) => {
    const url = /^https?:\/\/[^/]/i.test(text) ? URL.parse(text) : null;
    const name = url?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";
    const isHost = isIP(name) > 0 || HOST_NAME.test(name);
    return isHost && url?.href === `${url?.origin}/` ? url.origin : undefined;
  }, "Give a scheme and a host, such as https://chat.example.com, without a path."),
};

/** The trusted proxies: how many stand in a row, or their addresses. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: readonly string[] };

const HOPS_MAX = 16;

function isNetwork(text: string): boolean {
  if (text === "loopback" || text === "private") return true;
  const [, address = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version > 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

export const proxies: Kind<TrustedProxies> = {
  value: "<proxies>",
  schema: parsed((text): TrustedProxies | undefined => {
    if (/^\d{1,2}$/.test(text) && Number(text) > 0 && Number(text) <= HOPS_MAX)
      return Object.freeze({ hops: Number(text) });
    const networks = list(text);
    return networks.every(isNetwork) ? Object.freeze({ networks: Object.freeze(networks) }) : undefined;
  }, `Give the number of proxies, 1 to ${HOPS_MAX}, or their addresses, such as loopback, private or 10.0.0.0/8.`),
  show: (trusted) => ("hops" in trusted ? String(trusted.hops) : trusted.networks.join(",")),
};

/** No program makes longer keys, and an HTTP header of this length passes everywhere. */
const SECRET_LENGTH_MAX = 1024;
/** A key that another program chose. */
export const secret = (error?: string) =>
  z.string(error).max(SECRET_LENGTH_MAX, `Give at most ${SECRET_LENGTH_MAX} characters.`);

const ADMIN_KEY_HINT = "Give it as the second argument, or set ADMIN_KEY or ADMIN_KEY_FILE.";

export const adminKey: Kind<string> = {
  value: "<admin-key>",
  schema: secret(`The admin key is missing. ${ADMIN_KEY_HINT}`)
    .min(1, `The admin key is empty. ${ADMIN_KEY_HINT}`)
    // HTTP forbids control characters in a header's value, and drops the blanks around it.
    .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, "Remove its control characters, and blanks at its ends."),
};

const key = (schema: z.ZodType<string, string>): Kind<string> => ({ value: "<key>", schema });

export const agentKey = key(
  // The key is part of the address that agents use. The log masks no shorter text.
  z.string().regex(/^[\w.~-]{8,256}$/, "Give 8 to 256 characters: letters, digits, and - . _ ~"),
);

export const sealKey = key(
  secret().min(32, "Give 32 random characters or more, such as `openssl rand -hex 32` prints."),
);

export const metricsKey = key(
  z.string().regex(/^[\x21-\x7e]{16,1024}$/, "Give 16 to 1024 printable ASCII characters, without blanks."),
);

const NAME_LENGTH_MAX = 256;
const NAME_HINT = `Give 1 to ${NAME_LENGTH_MAX} characters`;
const nameSchema = z
  .string()
  .trim()
  .min(1, `${NAME_HINT}.`)
  .max(NAME_LENGTH_MAX, `${NAME_HINT}.`)
  .regex(PRINTABLE, `${NAME_HINT}, without control characters.`);
const isName = (text: string) => nameSchema.safeParse(text).success;

/** A token of a NATS subject. */
export const clusterName: Kind<string> = {
  value: "<name>",
  schema: z.string().regex(/^[\w-]{1,64}$/, "Give 1 to 64 letters, digits, hyphens and underscores."),
};

export const name: Kind<string> = { value: "<name>", schema: nameSchema };

export const names: Kind<readonly string[]> = {
  value: "<name>",
  schema: parsed((text) => {
    const names = [...new Set(list(text))];
    return names.every(isName) ? Object.freeze(names) : undefined;
  }, `${NAME_HINT} for each name.`),
  show: (names) => names.join(","),
};

const TAGS_MAX = 32;

export const tags: Kind<readonly string[]> = {
  value: "<tag>",
  schema: parsed((text) => {
    const tags = [...new Set(list(text))];
    const areValid = tags.length <= TAGS_MAX && tags.every((tag) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(tag));
    return areValid ? Object.freeze(tags) : undefined;
  }, `Give at most ${TAGS_MAX} tags, each of 1 to 64 lower-case letters, digits, dots, hyphens and underscores.`),
  show: (tags) => tags.join(","),
};

/** The settings that can be changed while the server runs would lose this name. */
const withoutLostName: [(byName: object) => boolean, string] = [
  (byName) => !Object.hasOwn(byName, LOST_KEY),
  `${LOST_KEY} cannot be the name of a model or an alias. Give another one.`,
];

export const aliases: Kind<Readonly<Record<string, string>>> = {
  value: "<name>=<model>",
  schema: parsed((text) => {
    const pairs = list(text).map((pair) => pair.split("=").map((part) => part.trim()));
    const isPair = (pair: string[]) => pair.length === 2 && pair.every(isName);
    return pairs.every(isPair) ? Object.freeze(Object.fromEntries(pairs)) : undefined;
  }, "Give name=model for each alias.").refine(...withoutLostName),
  show: (aliases) => Array.from(Object.entries(aliases), (pair) => pair.join("=")).join(","),
};

/** The models to use, in order, when a model cannot answer, by the name of that model. */
export type Fallbacks = Readonly<Record<string, readonly string[]>>;

const FALLBACKS_MAX = 16;

export const fallbacks: Kind<Fallbacks> = {
  value: "<model>=<models>",
  schema: parsed((text) => {
    const entries = text.split(";").map(readFallback);
    const models = new Set(entries.map((entry) => entry?.[0]));
    // Of two lists for a model, one would be ignored.
    if (models.has(undefined) || models.size < entries.length) return undefined;
    return Object.freeze(Object.fromEntries(entries as [string, readonly string[]][]));
  }, `Give model=other,another once for each model, with 1 to ${FALLBACKS_MAX} different other models, and a semicolon between models.`).refine(
    ...withoutLostName,
  ),
  show: (fallbacks) =>
    Array.from(Object.entries(fallbacks), ([model, others]) => `${model}=${others}`).join(";"),
};

function readFallback(text: string): [string, readonly string[]] | undefined {
  const [model = "", models, ...more] = text.split("=").map((part) => part.trim());
  const others = list(models ?? "");
  const isList = new Set(others).size === others.length && others.length <= FALLBACKS_MAX;
  const isValid = more.length === 0 && isList && [model, ...others].every(isName) && !others.includes(model);
  return isValid ? [model, Object.freeze(others)] : undefined;
}
