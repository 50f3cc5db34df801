import { isIP } from "node:net";
import { z } from "zod";

/** A kind of value: how it is read, and how it is shown. */
export interface Kind<Value> {
  /** Stands for the value in help texts. */
  value: string;
  /**
   * Reads the text given, or the default. Its messages are sentences that say what to do and never repeat the
   * text.
   */
  schema: z.ZodType<Value, string | undefined>;
  /** Writes a value as an operator would. */
  show?: (value: Value) => string;
}

const TIMES = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
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
    context.addIssue(`Give ${what}, from ${min} to ${max}.`);
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
  const error = `Give a ${what} from ${min} to ${max}.`;
  const digits = z.string().regex(/^\d{1,9}$/, { error, abort: true });
  return {
    value: `<${what}>`,
    schema: digits.transform(Number).refine((read) => read >= min && read <= max, error),
  };
};

export const choice = <const Names extends readonly [string, ...string[]]>(...names: Names) => ({
  value: names.join("|"),
  schema: z.enum(names, `Give one of: ${names.join(", ")}.`),
});

export const yesNo: Kind<boolean> = {
  value: "",
  schema: z.enum(["yes", "no"], "Give yes or no, or the flag alone.").transform((text) => text === "yes"),
  show: (value) => (value ? "yes" : "no"),
};

export const folder: Kind<string> = { value: "<folder>", schema: z.string().min(1, "Give a folder.") };

export const file: Kind<string | undefined> = {
  value: "<file>",
  schema: z.string().min(1, "Give a file.").optional(),
};

/** A list of texts, separated by commas. */
const list = (text: string) => text.split(",").map((part) => part.trim());

// A last label of digits is a mistyped IP address.
const HOST_NAME = /^(?=.{1,253}$)(?!(.*\.)?\d+$)[\w-]+(\.[\w-]+)*$/;

export const host: Kind<string | undefined> = {
  value: "<address>",
  schema: z
    .string()
    .transform((text) => text.replace(/^\[(.*)\]$/, "$1"))
    .refine(
      (text) => isIP(text) > 0 || HOST_NAME.test(text),
      "Give an IP address or a host name, without a port.",
    )
    .optional(),
};

export const hostNames: Kind<readonly string[]> = {
  value: "<names>",
  schema: z
    .string()
    .transform((text): readonly string[] => Object.freeze(text === "none" ? [] : list(text.toLowerCase())))
    .refine(
      (names) => names.every((name) => HOST_NAME.test(name)),
      "Give host names such as chat.example.com, without a port, separated by commas, or none.",
    ),
  show: (names) => names.join(",") || "none",
};

const ORIGIN = /^(null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i;

export const origins: Kind<readonly string[]> = {
  value: "<origins>",
  schema: z
    .string()
    .transform((text): readonly string[] => Object.freeze(text === "none" ? [] : list(text.toLowerCase())))
    .refine(
      (origins) => origins.every((origin) => ORIGIN.test(origin)),
      "Give web origins such as https://chatgpt.com, separated by commas, or none.",
    ),
  show: (origins) => origins.join(",") || "none",
};

/** The trusted proxies: how many stand in a row, or their addresses. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: readonly string[] };

const PROXY_COUNT_MAX = 16;
const PROXY_NETWORK = /^([^/]*)(?:\/(\d{1,3}))?$/;

function isNetwork(text: string): boolean {
  if (text === "loopback" || text === "private") return true;
  const [, address = "", bits = "0"] = PROXY_NETWORK.exec(text) ?? [];
  const version = isIP(address);
  return version > 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

export const trustProxy: Kind<TrustedProxies | undefined> = {
  value: "<proxies>",
  schema: z
    .string()
    .transform((text, context): TrustedProxies => {
      if (/^\d{1,2}$/.test(text) && Number(text) > 0 && Number(text) <= PROXY_COUNT_MAX)
        return Object.freeze({ hops: Number(text) });
      const networks = list(text);
      if (networks.every(isNetwork)) return Object.freeze({ networks: Object.freeze(networks) });
      context.addIssue(
        `Give the number of proxies, 1 to ${PROXY_COUNT_MAX}, or their addresses, such as loopback, private or 10.0.0.0/8.`,
      );
      return z.NEVER;
    })
    .optional(),
  show: (trusted) =>
    (trusted && ("hops" in trusted ? String(trusted.hops) : trusted.networks.join(","))) ?? "",
};

/** No program makes longer keys, and an HTTP header of this length passes everywhere. */
const SECRET_LENGTH_MAX = 1024;
const SECRET_TOO_LONG = `Give at most ${SECRET_LENGTH_MAX} characters.`;
const ADMIN_KEY_HINT = "Give it as the second argument, or set ADMIN_KEY or ADMIN_KEY_FILE.";

export const adminKey: Kind<string> = {
  value: "<admin-key>",
  schema: z
    .string(`The admin key is missing. ${ADMIN_KEY_HINT}`)
    .min(1, `The admin key is empty. ${ADMIN_KEY_HINT}`)
    .max(SECRET_LENGTH_MAX, SECRET_TOO_LONG)
    // HTTP forbids control characters in a header's value, and drops the blanks around it.
    .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, "Remove its control characters, and blanks at its ends."),
};

export const agentKey: Kind<string | undefined> = {
  value: "<key>",
  schema: z
    .string()
    // The key is part of the address that agents use. The log masks no shorter text.
    .regex(/^[\w.~-]{8,256}$/, "Give 8 to 256 characters: letters, digits, and - . _ ~")
    .optional(),
};

export const sealKey: Kind<string | undefined> = {
  value: "<key>",
  schema: z
    .string()
    .min(32, "Give 32 random characters or more, such as `openssl rand -hex 32` prints.")
    .max(SECRET_LENGTH_MAX, SECRET_TOO_LONG)
    .optional(),
};

export const upstreamKey: Kind<string | undefined> = {
  value: "<key>",
  schema: z
    .string()
    .max(SECRET_LENGTH_MAX, SECRET_TOO_LONG)
    .regex(/^[\x21-\x7e]+$/, "Give printable ASCII characters, without blanks.")
    .optional(),
};

export const metricsKey: Kind<string | undefined> = {
  value: "<key>",
  schema: z
    .string()
    .regex(/^[\x21-\x7e]{16,1024}$/, "Give 16 to 1024 printable ASCII characters, without blanks.")
    .optional(),
};

export const baseUrl: Kind<string | undefined> = {
  value: "<URL>",
  schema: z
    .string()
    .transform((text, context) => {
      const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
      const isGood = url?.hostname && /^https?:$/.test(url.protocol);
      if (isGood && !(url.username || url.password || url.search || url.hash))
        return url.href.replace(/\/+$/, "");
      context.addIssue(
        "Give a base URL such as http://localhost:11434/v1, without a user, a password or a query.",
      );
      return z.NEVER;
    })
    .optional(),
};

const NAME_LENGTH_MAX = 256;
const NAME_HINT = `Give 1 to ${NAME_LENGTH_MAX} characters`;
const nameSchema = z.string().trim().min(1, `${NAME_HINT}.`).max(NAME_LENGTH_MAX, `${NAME_HINT}.`);
const isName = (text: string) => nameSchema.safeParse(text).success;

export const name: Kind<string | undefined> = { value: "<name>", schema: nameSchema.optional() };

export const modelName: Kind<string> = { value: "<name>", schema: nameSchema };

export const names: Kind<readonly string[] | undefined> = {
  value: "<name>",
  schema: z
    .string()
    .transform((text): readonly string[] => Object.freeze([...new Set(list(text))]))
    .refine((names) => names.every(isName), `${NAME_HINT} for each name.`)
    .optional(),
  show: (names) => names?.join(",") ?? "",
};

export const aliases: Kind<Readonly<Record<string, string>> | undefined> = {
  value: "<name>=<model>",
  schema: z
    .string()
    .transform((text, context): Readonly<Record<string, string>> => {
      const pairs = list(text).map((pair) => pair.split("=").map((part) => part.trim()));
      const isPair = (pair: string[]) => pair.length === 2 && pair.every(isName);
      if (!pairs.every(isPair)) context.addIssue("Give name=model for each alias.");
      return Object.freeze(Object.fromEntries(pairs));
    })
    .optional(),
  show: (aliases) =>
    Object.entries(aliases ?? {})
      .map(([alias, target]) => `${alias}=${target}`)
      .join(","),
};
