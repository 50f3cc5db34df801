import { type Kind, whole } from "./kinds.ts";

export interface Setting<Value> extends Kind<Value> {
  /** The name in kebab case, which makes the flag `--slug` and the variable `CHATGPT_API_SLUG`. */
  slug: string;
  help: string;
  /** The default, as an operator would write it. */
  default?: string | undefined;
  /** Another default in a cluster, which is a server with `--nats`. */
  inCluster?: string;
  /** Another default for a server that gets its own certificate, with `--domain`. */
  withDomain?: string;
  /** The text of the help instead of a default. */
  absent?: string;
  /** False for a setting without a flag, which is read from its position or the environment only. */
  flag?: false;
  /** Further variables. The prefixed one wins. */
  aliases?: readonly string[];
  /** Whether it is also read from the file that `<VARIABLE>_FILE` names, and never shown. */
  secret?: true;
  /** The value of the flag alone. Another value then needs an equals sign. */
  bare?: string;
  /** The separator that joins the texts of a flag that may be repeated. */
  many?: "," | ";" | "\n";
}

type Extras = Pick<
  Setting<unknown>,
  "flag" | "aliases" | "secret" | "bare" | "many" | "inCluster" | "withDomain"
>;

/** Describes a setting that always has a value. */
export function setting<Value>(
  slug: string,
  byDefault: string | undefined,
  kind: Kind<Value>,
  help: string,
  extras: Extras = {},
): Setting<Value> {
  return { slug, default: byDefault, help, ...kind, ...extras };
}

/** Describes a setting that may be absent. Help texts show `absent` in place of a default. */
export function optional<Value>(
  slug: string,
  absent: string,
  kind: Kind<Value>,
  help: string,
  extras: Extras = {},
): Setting<Value | undefined> {
  return { slug, absent, help, ...kind, schema: kind.schema.optional(), ...extras };
}

/** The settings on which the defaults of others depend. */
export interface ServerKind {
  isCluster: boolean;
  hasDomain: boolean;
}

/** Returns the default, as an operator would write it; undefined for a setting that is then absent. */
export function defaultOf(
  { default: byDefault, inCluster, withDomain }: Setting<unknown>,
  { isCluster, hasDomain }: ServerKind,
): string | undefined {
  return (isCluster ? inCluster : undefined) ?? (hasDomain ? withDomain : undefined) ?? byDefault;
}

/** Returns the default as help texts show it. */
export function defaultText(setting: Setting<unknown>): string {
  const { default: byDefault, absent = "", inCluster, withDomain } = setting;
  const texts = [byDefault ?? absent];
  if (inCluster !== undefined) texts.push(`${inCluster} in a cluster`);
  if (withDomain !== undefined) texts.push(`${withDomain} with --domain`);
  return texts.join("; ");
}

/** A number from 1 to `max`. */
export const count = (max: number) => whole("number", 1, max);
