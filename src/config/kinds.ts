import { isIP } from "node:net";
import { z } from "zod";
import { DAY_MS } from "../time.ts";

export interface Kind<Value> {
  /** Stands for the value in help texts. */
  value: string;
  /** Reads the text given, or the default. Its messages say what to do and never repeat the text. */
  schema: z.ZodType<Value, string | undefined>;
  /** Writes a value as an operator would. */
  show?: (value: Value) => string;
}

const TIMES = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const SIZES = { GB: 1024 ** 3, MB: 1024 ** 2, KB: 1024, B: 1 };

function amount(what: string, min: string, max: string, units: Record<string, number>, bareUnit: number) {
  const read = (text: string) => {
    const [, digits, unit] = /^(\d{1,15}(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
    const name = Object.keys(units).find((name) => name === unit || name === unit?.toUpperCase());
    return unit && !name ? Number.NaN : Math.round(Number(digits) * (units[name ?? ""] ?? bareUnit));
  };
  const schema = z.string().transform((text, context) => {
    const value = read(text);
    if (value >= read(min) && value <= read(max)) return value;
    context.addIssue(`give ${what}, from ${min} to ${max}`);
    return z.NEVER;
  });
  const show = (value: number) => {
    const [unit, size] = Object.entries(units).find(([, size]) => value % size === 0) ?? ["", 1];
    return value === 0 ? "0" : `${value / size}${unit}`;
  };
  return { schema, show };
}

export const time = (min: string, max: string): Kind<number> => ({
  value: "<time>",
  ...amount("a time such as 500ms, 90s, 5m or 2h", min, max, TIMES, TIMES.s),
});
export const size = (min: string, max: string): Kind<number> => ({
  value: "<size>",
  ...amount("a size such as 512KB or 20MB", min, max, SIZES, SIZES.B),
});
export const whole = (what: string, min: number, max: number): Kind<number> => {
  const error = `give a ${what} from ${min} to ${max}`;
  const value = `<${what}>`;
  const digits = z.string().regex(/^\d{1,9}$/, { error, abort: true });
  return { value, schema: digits.transform(Number).refine((read) => read >= min && read <= max, error) };
};
export const choice = <const Names extends readonly [string, ...string[]]>(...names: Names) => ({
  value: names.join("|"),
  schema: z.enum(names, `give one of: ${names.join(", ")}`),
});

// A last label of digits is an IP address mistyped.
const HOST_NAME = /^(?=.{1,253}$)(?!(.*\.)?\d+$)[\w-]+(\.[\w-]+)*$/;
const hostSchema = z
  .string()
  .transform((text) => text.replace(/^\[(.*)\]$/, "$1"))
  .refine(
    (text) => isIP(text) > 0 || HOST_NAME.test(text),
    "give an IP address or a host name, without a port",
  )
  .optional();

const ORIGIN = /^(null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i;
const originsSchema = z.string().transform((text, context): readonly string[] => {
  const origins = text === "none" ? [] : text.split(",").map((origin) => origin.trim().toLowerCase());
  if (origins.every((origin) => ORIGIN.test(origin))) return Object.freeze(origins);
  context.addIssue("give web origins such as https://chatgpt.com, separated by commas, or none");
  return z.NEVER;
});

const hostNamesSchema = z
  .string()
  .transform((text): readonly string[] =>
    Object.freeze(text === "none" ? [] : text.split(",").map((name) => name.trim().toLowerCase())),
  )
  .refine(
    (names) => names.every((name) => HOST_NAME.test(name)),
    "give host names such as chat.example.com, without a port, separated by commas, or none",
  );

const PROXY_NETWORK = /^([^/]*)(?:\/(\d{1,3}))?$/;
function isNetwork(text: string): boolean {
  if (text === "loopback" || text === "private") return true;
  const [, address = "", bits = "0"] = PROXY_NETWORK.exec(text) ?? [];
  const version = isIP(address);
  return version > 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

/** A count of proxies, or where they are. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: readonly string[] };
const PROXY_COUNT_MAX = 16;
const trustProxySchema = z
  .string()
  .transform((text, context): TrustedProxies => {
    if (/^\d{1,2}$/.test(text) && Number(text) > 0 && Number(text) <= PROXY_COUNT_MAX)
      return Object.freeze({ hops: Number(text) });
    const networks = text.split(",").map((network) => network.trim());
    if (networks.every(isNetwork)) return Object.freeze({ networks: Object.freeze(networks) });
    context.addIssue(
      `give how many proxies there are, 1 to ${PROXY_COUNT_MAX}, or their addresses: loopback, private, 10.0.0.0/8`,
    );
    return z.NEVER;
  })
  .optional();

/** No program makes longer keys, and an HTTP header of this length passes everywhere. */
const SECRET_LENGTH_MAX = 1024;
const ADMIN_KEY_HINT = "give it as the second argument, or in ADMIN_KEY or ADMIN_KEY_FILE";
const adminKeySchema = z
  .string(`no admin key: ${ADMIN_KEY_HINT}`)
  .min(1, `admin key is empty: ${ADMIN_KEY_HINT}`)
  .max(SECRET_LENGTH_MAX, `admin key is too long: give at most ${SECRET_LENGTH_MAX} characters`)
  // HTTP forbids control characters in a header's value, and drops the blanks around it.
  .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, "admin key has a control character, or a blank at one end: remove it");
const agentKeySchema = z
  .string()
  // It is part of the address that agents are given; the log masks nothing shorter.
  .regex(/^[\w.~-]{8,256}$/, "give 8 to 256 characters out of letters, digits and - . _ ~")
  .optional();
const sealKeySchema = z
  .string()
  .min(32, "give 32 random characters or more, as `openssl rand -hex 32` prints")
  .max(SECRET_LENGTH_MAX, `give at most ${SECRET_LENGTH_MAX} characters`)
  .optional();

const upstreamKeySchema = z
  .string()
  .max(SECRET_LENGTH_MAX, `give at most ${SECRET_LENGTH_MAX} characters`)
  .regex(/^[\x21-\x7e]+$/, "give letters, digits and signs of ASCII, without blanks")
  .optional();

const metricsKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{16,1024}$/, "give 16 to 1024 letters, digits and signs of ASCII, without blanks")
  .optional();

const baseUrlSchema = z
  .string()
  .transform((text, context) => {
    const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
    const isGood = url?.hostname && /^https?:$/.test(url.protocol);
    if (isGood && !(url.username || url.password || url.search || url.hash))
      return url.href.replace(/\/+$/, "");
    context.addIssue("give a base URL such as http://localhost:11434/v1, without user, password or query");
    return z.NEVER;
  })
  .optional();

const NAME_LENGTH_MAX = 256;
const NAME_HINT = `give 1 to ${NAME_LENGTH_MAX} characters`;
const nameSchema = z.string().trim().min(1, NAME_HINT).max(NAME_LENGTH_MAX, NAME_HINT);
const namesSchema = z
  .string()
  .transform((text): readonly string[] =>
    Object.freeze([...new Set(text.split(",").map((name) => name.trim()))]),
  )
  .refine((names) => names.every((name) => nameSchema.safeParse(name).success), `${NAME_HINT} for each`)
  .optional();

const aliasesSchema = z
  .string()
  .transform((text, context): Readonly<Record<string, string>> => {
    const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
    const isPair = (pair: string[]) =>
      pair.length === 2 && pair.every((part) => nameSchema.safeParse(part).success);
    if (!pairs.every(isPair)) context.addIssue("give name=model for each");
    return Object.freeze(Object.fromEntries(pairs));
  })
  .optional();

export const folder: Kind<string> = { value: "<folder>", schema: z.string().min(1, "give a folder") };
export const file: Kind<string | undefined> = {
  value: "<file>",
  schema: z.string().min(1, "give a file").optional(),
};
export const hostNames: Kind<readonly string[]> = {
  value: "<names>",
  schema: hostNamesSchema,
  show: (names) => names.join(",") || "none",
};
export const trustProxy: Kind<TrustedProxies | undefined> = {
  value: "<proxies>",
  schema: trustProxySchema,
  show: (trusted) =>
    (trusted && ("hops" in trusted ? String(trusted.hops) : trusted.networks.join(","))) ?? "",
};
export const host: Kind<string | undefined> = { value: "<address>", schema: hostSchema };
export const origins: Kind<readonly string[]> = {
  value: "<origins>",
  schema: originsSchema,
  show: (origins) => origins.join(",") || "none",
};
export const adminKey: Kind<string> = { value: "<admin-key>", schema: adminKeySchema };
export const agentKey: Kind<string | undefined> = { value: "<key>", schema: agentKeySchema };
export const sealKey: Kind<string | undefined> = { value: "<key>", schema: sealKeySchema };
export const upstreamKey: Kind<string | undefined> = { value: "<key>", schema: upstreamKeySchema };
export const metricsKey: Kind<string | undefined> = { value: "<key>", schema: metricsKeySchema };
export const baseUrl: Kind<string | undefined> = { value: "<URL>", schema: baseUrlSchema };
export const name: Kind<string | undefined> = { value: "<name>", schema: nameSchema.optional() };
export const modelName: Kind<string> = { value: "<name>", schema: nameSchema };
export const aliases: Kind<Readonly<Record<string, string>> | undefined> = {
  value: "<name>=<model>",
  schema: aliasesSchema,
  show: (aliases) =>
    Object.entries(aliases ?? {})
      .map(([alias, target]) => `${alias}=${target}`)
      .join(","),
};
export const names: Kind<readonly string[] | undefined> = {
  value: "<name>",
  schema: namesSchema,
  show: (names) => names?.join(",") ?? "",
};
export const yesNo: Kind<boolean> = {
  value: "",
  schema: z.enum(["yes", "no"], "give yes or no, or the flag alone").transform((text) => text === "yes"),
  show: (value) => (value ? "yes" : "no"),
};
