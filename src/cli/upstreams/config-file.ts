import { dirname, resolve } from "node:path";
import { z } from "zod";
import { readServerAddress } from "../../builtin-agent/server/server-address.ts";
import type { Environment, Given } from "../../config/read.ts";
import { SETTINGS, type SettingName } from "../../config/settings.ts";
import { usageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { COMMANDS } from "../commands.ts";
import { settingText, UpstreamTable } from "./file-schema.ts";
import { isReadByAll, parseFile, readText } from "./parse-file.ts";

/** The configuration file of an agent. */
export interface AgentFile {
  path: string;
  /** The address of the server, if the file has it. */
  server: string | undefined;
  /** The settings as texts. */
  texts: ReadonlyMap<SettingName, Given>;
  upstreams: readonly FileUpstream[];
  /** The same content as JSON, for another place: with the keys in place of the files that keep them. */
  portable: string;
}

/** One upstream of the file. What is missing has the value of the whole agent. */
export type FileUpstream = Omit<UpstreamTable, "key-file"> & { url: string };

/** The setting's names in the file, which are those of the flags. */
const SLUGS = new Map<string, SettingName>(
  COMMANDS.agent.settings.map((name) => [SETTINGS[name].slug, name]),
);
const SECRETS = [...SLUGS].filter(([, name]) => SETTINGS[name].secret).map(([slug]) => slug);
const UPSTREAMS = "upstreams";
const UPSTREAMS_MAX = 16;

/** The names of lists may have their plural. */
const PLURALS: ReadonlyMap<string, string> = new Map([
  ["models", "model"],
  ["endpoints", "endpoint"],
  ["tags", "tag"],
]);

const AgentConfig = z.strictObject({
  server: z.string("Give a text.").min(1, "Give a text.").optional(),
  [UPSTREAMS]: z
    .array(UpstreamTable, "Give tables: begin each with [[upstreams]].")
    .min(1, "Give one at least.")
    .max(UPSTREAMS_MAX, `Give at most ${UPSTREAMS_MAX}.`)
    .optional(),
  ...Object.fromEntries(
    [...SLUGS].map(([slug, name]) => [slug, settingText(SETTINGS[name].many).optional()]),
  ),
  ...Object.fromEntries(SECRETS.map((slug) => [`${slug}-file`, z.string("Give a text.").min(1).optional()])),
});

/** The variable that names the file, as `--config` does. */
export const CONFIG_VARIABLE = "CHATGPT_API_CONFIG";

/** Returns the configuration file that the flag or the environment names, if one does. Throws like `readAgentFile`. */
export function givenAgentFile(flag: string | undefined, env: Environment): AgentFile | undefined {
  const path = flag ?? env[CONFIG_VARIABLE];
  return path ? readAgentFile(path) : undefined;
}

/** Returns the address of the server on the command line, or else in the file. */
export function serverAddress(positionals: readonly string[], file: AgentFile | undefined): string {
  const [address = file?.server, ...more] = positionals;
  if (address === undefined || more.length > 0)
    throw usageError(
      "Give one argument: the address that the server prints for agents, such as localhost:8080/agents/<agent key>.",
    );
  return address;
}

/**
 * Reads the configuration file of an agent, in TOML or JSON, and the key files that it names, by paths that start at
 * its folder. Throws a `CommandError` with exit code 2 and one line for each fault, which names its place and repeats
 * no value.
 */
export function readAgentFile(path: string): AgentFile {
  const text = readText(path, "The configuration file");
  const named = withPlainNames(parseFile(text, path), path, "");
  const { data, error } = AgentConfig.safeParse(named, { jitless: true });
  if (error)
    throw usageError(
      error.issues
        .flatMap((issue) => faultsOf(issue, path))
        .slice(0, 20)
        .join("\n"),
    );
  const hasKey =
    readServerKey(data.server) !== undefined ||
    SECRETS.some((slug) => slug in data) ||
    data.upstreams?.some(({ key }) => key !== undefined);
  if (hasKey && isReadByAll(path))
    throw usageError(
      `${path} contains a key, and every user of this machine may read it. Run chmod 600 on it, or name a file with key-file.`,
    );
  const portable = withKeys(named as Table, path);
  return {
    path,
    server: data.server,
    texts: textsOf(data, portable, path),
    upstreams: (data.upstreams ?? []).map((table, index) => upstreamOf(table, portable, index, path)),
    portable: JSON.stringify(portable),
  };
}

/** An address may end with the agent key. */
function readServerKey(server: string | undefined): string | undefined {
  return server === undefined ? undefined : readServerAddress(server).key;
}

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the tables with the names that the schema has: `log_level` is `log-level`, and `models` is `model`. */
function withPlainNames(value: unknown, path: string, place: string): unknown {
  if (!isTable(value)) return value;
  const entries = new Map<string, unknown>();
  for (const [given, content] of Object.entries(value)) {
    const hyphened = given.replaceAll("_", "-");
    const name = PLURALS.get(hyphened) ?? hyphened;
    if (entries.has(name)) throw usageError(`${path}: ${place}${name} is given twice. Give it once.`);
    const isList = place === "" && name === UPSTREAMS && Array.isArray(content);
    entries.set(
      name,
      isList ? content.map((table, at) => withPlainNames(table, path, `${UPSTREAMS}[${at}].`)) : content,
    );
  }
  return Object.fromEntries(entries);
}

function faultsOf(issue: z.core.$ZodIssue, path: string): string[] {
  const place = issue.path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    "",
  );
  if (issue.code !== "unrecognized_keys") return [`${path}: ${place || "the file"}: ${issue.message}`];
  const known = Object.keys(place === "" ? AgentConfig.shape : UpstreamTable.shape);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const advice = meant === undefined ? "Leave it out." : `Did you mean ${meant}?`;
    return `${path}: ${place && `${place}.`}${key.slice(0, 64)}: There is no such setting. ${advice}`;
  });
}

/** Returns the content with the keys that files keep, and without the data folder, which is the user's own. */
function withKeys({ data: _, ...content }: Table, path: string): Table {
  const resolved = { ...content };
  for (const slug of SECRETS) replaceFile(resolved, slug, path, slug);
  const tables = content[UPSTREAMS];
  if (!Array.isArray(tables)) return resolved;
  const upstreams = tables.map((table: Table, at) => {
    const copy = { ...table };
    replaceFile(copy, "key", path, `${UPSTREAMS}[${at}].key`);
    return copy;
  });
  return { ...resolved, [UPSTREAMS]: upstreams };
}

function replaceFile(table: Table, name: string, path: string, place: string): void {
  const file = table[`${name}-file`];
  if (typeof file !== "string") return;
  if (table[name] !== undefined)
    throw usageError(`${path}: ${place} and ${place}-file are both there. Leave one out.`);
  delete table[`${name}-file`];
  table[name] = readText(resolve(dirname(path), file), `${path}: The file of ${place}-file,`).replace(
    /\r?\n$/,
    "",
  );
}

function textsOf(data: Table, portable: Table, path: string): Map<SettingName, Given> {
  const texts = new Map<SettingName, Given>();
  for (const [slug, name] of SLUGS) {
    const fromFile = SETTINGS[name].secret ? (data[slug] ?? portable[slug]) : data[slug];
    if (typeof fromFile === "string")
      texts.set(name, { text: fromFile, from: `${slug} in ${path}`, isInFile: true });
  }
  return texts;
}

function upstreamOf(table: UpstreamTable, portable: Table, index: number, path: string): FileUpstream {
  const { "key-file": file, ...rest } = table;
  const place = `${path}: ${UPSTREAMS}[${index}]`;
  const { url } = rest;
  if (url === undefined) throw usageError(`${place}.url: Give the base URL of the model server.`);
  if (file === undefined) return { ...rest, url };
  const tables = portable[UPSTREAMS] as Table[];
  const { data: key } = UpstreamTable.shape.key.safeParse(tables[index]?.["key"], { jitless: true });
  if (key === undefined)
    throw usageError(`${place}.key-file: Its file has no key. Put the key alone on one line.`);
  return { ...rest, url, key };
}
