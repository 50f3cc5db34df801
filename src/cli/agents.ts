import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import {
  type AgentKeys,
  agentKeyFields,
  createAgentKeys,
  describeAgentKey,
  describeNewKey,
} from "../auth/agent-keys.ts";
import { type Audit, createAudit } from "../auth/audit.ts";
import { readOrCreateKey } from "../auth/key-file.ts";
import { sharedKeys } from "../auth/secret.ts";
import { agentKey as agentKeyKind } from "../config/kinds.ts";
import { type PublicUrlSettings, publicUrlOf } from "../config/public-url.ts";
import type { Config } from "../config/settings.ts";
import { agentKeyIn } from "../data-folder.ts";
import { CommandError, usageError } from "../errors.ts";
import { AddAgentKeyBody } from "../http/admin/agent-key-schema.ts";
import { listenAddresses } from "../net/listen-addresses.ts";
import { printable } from "../printable.ts";
import type { AgentKeyChanges, StoredAgentKey } from "../store/store.ts";
import { withoutNulls } from "../user-attributes.ts";
import { checkKeyFlags, keyChanges, readKeyFlags } from "./agents/key-flags.ts";
import { type PairGiven, pairAgent } from "./agents/pair.ts";
import { readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { agentAddressLines } from "./server-addresses.ts";
import { table } from "./terminal/text-table.ts";
import { type Command, type Terminal, toJson } from "./terminal.ts";
import { PROGRAM } from "./version.ts";
import { withStore } from "./with-store.ts";

/** The dependencies of a subcommand. */
interface Work {
  keys: AgentKeys;
  audit: Audit;
  /** The name or id that was given. */
  subject: string;
  models: readonly string[] | null;
  /** The preference that was given. A null removes a value. */
  changes: AgentKeyChanges;
  json: boolean;
  io: Terminal;
  pair: PairGiven;
}

/** Manages the agents' keys in the local database. A running server follows within a second. */
export const agents: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.agents);
  const { json, models, server } = flags;
  const [subcommand = "", subject = ""] = positionals;
  const run = Object.hasOwn(SUBCOMMANDS, subcommand) ? SUBCOMMANDS[subcommand] : undefined;
  const isAddress = subcommand === "address";
  checkArguments(positionals, { models, server });
  const fields = readKeyFlags(flags);
  checkKeyFlags(fields, subcommand);
  if (isAddress && json) throw usageError("agents address prints no JSON. Leave out --json.");
  if (!run) {
    printAddresses(settings, io);
    return 0;
  }
  await withStore(settings, async (store) => {
    const keys = createAgentKeys({
      main: { matches: () => false },
      store: store.agentKeys,
      users: store.users,
    });
    const audit = createAudit({ audit: store.audit });
    const names = models?.split(",").map((name) => name.trim()) ?? null;
    const changes = await keyChanges(fields, store.users);
    const pair = { pairings: store.pairings, settings, server };
    await run({ keys, audit, subject, models: names, changes, json, io, pair });
  });
  return 0;
};

/** Throws a `CommandError` if the subcommand is unknown, or takes no such arguments. */
function checkArguments(
  [subcommand = "", subject = "", ...more]: readonly string[],
  { models, server }: { models: string | undefined; server: string | undefined },
): void {
  const isPair = subcommand === "pair";
  if (!Object.hasOwn(SUBCOMMANDS, subcommand) && subcommand !== "address")
    throw usageError(
      "Give one of: agents list, agents add <name>, agents pair [<name>], agents change <name or id>, agents revoke <name or id>, agents address.",
    );
  const takesName = subcommand !== "list" && subcommand !== "address";
  const argument = takesName ? "one name, with quotes if it has blanks," : "no argument";
  if (more.length > 0 || (!isPair && takesName !== (subject !== "")))
    throw usageError(`Give ${isPair ? "at most " : ""}${argument} after agents ${subcommand}.`);
  if (models !== undefined && subcommand !== "add" && !isPair)
    throw usageError("--models belongs to agents add and agents pair. Leave it out.");
  if (server !== undefined && !isPair) throw usageError("--server belongs to agents pair. Leave it out.");
}

/** Prints the addresses of a server with these settings, also to a pipe: the key is what was asked for. */
function printAddresses(
  {
    data,
    port,
    host,
    tlsCert,
    domains,
    publicUrl,
    ...keys
  }: Pick<Config, "agentKey" | "clusterKey" | "data" | "host" | "tlsCert"> & PublicUrlSettings,
  io: Terminal,
): void {
  const { agentKey: given } = sharedKeys(keys);
  if (port === 0) throw usageError("Port 0 stands for any free port. Give the server's port with --port.");
  const path = agentKeyIn(data);
  if (given === undefined && !existsSync(path))
    throw new CommandError(
      `There is no agent key in ${data}. Name the server's data folder with --data, or start the server once.`,
    );
  const agentKey = given ?? readOrCreateKey(path, agentKeyKind.schema);
  const addresses = listenAddresses(host, networkInterfaces());
  const lines = agentAddressLines({
    config: { agents: "keyed", port, tlsCert, domains, publicUrl },
    port,
    addresses,
    agentKey,
  });
  io.out(lines.join("\n"));
}

const SUBCOMMANDS: Record<string, (work: Work) => Promise<void>> = {
  async add({ keys, audit, subject, models, changes, json, io, pair }) {
    const { data, error } = AddAgentKeyBody.safeParse({ name: subject, models });
    if (error) throw addFault(error.issues[0]?.path[0]);
    const id = crypto.randomUUID();
    const given = withoutNulls(changes);
    const added = { id, name: data.name, models, ...given };
    const detail = { name: data.name, models, ...agentKeyFields(given) };
    const note = { actor: "cli", action: "agent_key.add", target: id, detail } as const;
    const key = await audit.change(note, () => keys.add(added));
    const described = describeNewKey(added);
    if (json) return io.out(toJson({ ...described, key }));
    io.out(table([["key", key], ...cardOf(described)]));
    const url = publicUrlOf(pair.settings) ?? "<host>:<port>";
    io.err(`This key is not shown again. Agents connect to ${url}/agents/<key>.\n`);
  },

  async pair({ subject, models, ...work }) {
    const { data, error } = AddAgentKeyBody.safeParse({ name: subject || "agent", models });
    if (error) throw addFault(error.issues[0]?.path[0]);
    await pairAgent({ ...work, name: subject === "" ? null : data.name, models });
  },

  async change({ keys, audit, subject, changes, json, io }) {
    const { id, name } = await findActive(keys, subject);
    const detail = { name, ...agentKeyFields(changes) };
    const note = { actor: "cli", action: "agent_key.change", target: id, detail } as const;
    const changed = await audit.change(note, () => keys.change(id, changes));
    if (changed === false) throw new CommandError("Another process has revoked the key.");
    const described = describeAgentKey(changed);
    io.out(json ? toJson(described) : table(cardOf(described)));
  },

  async list({ keys, json, io }) {
    const listed = await keys.list();
    if (json) io.out(toJson(listed.map(describeAgentKey)));
    else if (listed.length === 0) io.out("No agent keys, except the main one.\n");
    else io.out(table([LIST_HEAD, ...listed.map(rowOf)]));
  },

  async revoke({ keys, audit, subject, json, io }) {
    const { id, name } = await findActive(keys, subject);
    const note = { actor: "cli", action: "agent_key.revoke", target: id, detail: { name } } as const;
    await audit.change(note, () => keys.revoke(id));
    io.out(json ? toJson({ id, name, revoked: true }) : `Revoked ${name}.\n`);
  },
};

function addFault(field: PropertyKey | undefined): CommandError {
  return usageError(
    field === "models"
      ? "--models is not valid. Give the names of models, separated by commas."
      : "The name is not valid. Give 1 to 64 characters, without control characters.",
  );
}

async function findActive(keys: AgentKeys, subject: string): Promise<StoredAgentKey> {
  const active = (await keys.list()).filter(({ revokedAt }) => revokedAt === null);
  const key = active.find(({ id }) => id === subject) ?? active.find(({ name }) => name === subject);
  if (key) return key;
  throw new CommandError(
    `No active key has the name or the id ${JSON.stringify(subject)}. Run ${PROGRAM} agents list to see the keys.`,
  );
}

const modelsText = (models: readonly string[] | null) => models?.join(", ") ?? "all";

const LIST_HEAD = [
  ...["NAME", "ID", "CREATED", "REVOKED", "PRIORITY", "WEIGHT", "TAGS", "OWNER", "SHOWS NAME", "MODELS"],
];

function rowOf(key: StoredAgentKey): string[] {
  const described = describeAgentKey(key);
  const { name, id, created_at, revoked_at, models } = described;
  const day = (time: string | null) => time?.slice(0, 10) ?? "-";
  const preference = preferenceOf(described).map(([, text]) => text);
  return [name, id, day(created_at), day(revoked_at), ...preference, modelsText(models)].map(printable);
}

type DescribedKey = ReturnType<typeof describeNewKey>;

function cardOf(key: DescribedKey): string[][] {
  const { id, name, models } = key;
  const rows = [["name", name], ["id", id], ["models", modelsText(models)], ...preferenceOf(key)];
  return rows.map((row) => row.map(printable));
}

function preferenceOf({ priority, weight, tags, owner_id, shows_name }: DescribedKey): [string, string][] {
  return [
    ["priority", String(priority ?? "-")],
    ["weight", String(weight ?? "-")],
    ["tags", tags?.join(", ") ?? "-"],
    ["owner", owner_id ?? "-"],
    ["shows name", shows_name ? "yes" : "no"],
  ];
}
