import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type AgentKeys, createAgentKeys, describeAgentKey } from "../auth/agent-keys.ts";
import { type Audit, createAudit } from "../auth/audit.ts";
import { readOrCreateKey } from "../auth/key-file.ts";
import { agentKey as agentKeyKind } from "../config/kinds.ts";
import type { Config } from "../config/settings.ts";
import { agentKeyIn } from "../data-folder.ts";
import { CommandError, usageError } from "../errors.ts";
import { AddAgentKeyBody } from "../http/admin/schema.ts";
import { printable } from "../printable.ts";
import type { StoredAgentKey } from "../store/store.ts";
import { readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { withStore } from "./local-database.ts";
import { agentAddressLines, listenAddresses } from "./server-addresses.ts";
import { type Command, type Terminal, toJson } from "./terminal.ts";
import { table } from "./text-table.ts";
import { PROGRAM } from "./version.ts";

/** The dependencies of a subcommand. */
interface Work {
  keys: AgentKeys;
  audit: Audit;
  /** The name or id that was given. */
  subject: string;
  models: readonly string[] | null;
  json: boolean;
  io: Terminal;
}

/** Manages the agents' keys in the local database. A running server follows within two seconds. */
export const agents: Command = async (args, io) => {
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, COMMANDS.agents);
  const { json, models } = flags;
  const [subcommand = "", subject = "", ...more] = positionals;
  const run = Object.hasOwn(SUBCOMMANDS, subcommand) ? SUBCOMMANDS[subcommand] : undefined;
  const isAddress = subcommand === "address";
  if (!run && !isAddress)
    throw usageError(
      "Give one of: agents list, agents add <name>, agents revoke <name or id>, agents address.",
    );
  const takesName = subcommand !== "list" && !isAddress;
  const argument = takesName ? "one name, with quotes if it has blanks," : "no argument";
  if (more.length > 0 || takesName !== (subject !== ""))
    throw usageError(`Give ${argument} after agents ${subcommand}.`);
  if (models !== undefined && subcommand !== "add")
    throw usageError("--models belongs to agents add. Leave it out.");
  if (isAddress && json) throw usageError("agents address prints no JSON. Leave out --json.");
  if (!run) {
    printAddresses(settings, io);
    return 0;
  }
  await withStore(settings.data, (store) => {
    const keys = createAgentKeys({ main: { matches: () => false }, store: store.agentKeys });
    const audit = createAudit({ audit: store.audit });
    const names = models?.split(",").map((name) => name.trim()) ?? null;
    return run({ keys, audit, subject, models: names, json, io });
  });
  return 0;
};

/** Prints the addresses of a server with these settings, also to a pipe: the key is what was asked for. */
function printAddresses(
  {
    agentKey: given,
    data,
    port,
    host,
    tlsCert,
  }: Pick<Config, "agentKey" | "data" | "port" | "host" | "tlsCert">,
  io: Terminal,
): void {
  if (port === 0) throw usageError("Port 0 stands for any free port. Give the server's port with --port.");
  const path = agentKeyIn(data);
  if (given === undefined && !existsSync(path))
    throw new CommandError(
      `There is no agent key in ${data}. Name the server's data folder with --data, or start the server once.`,
    );
  const agentKey = given ?? readOrCreateKey(path, agentKeyKind.schema);
  const addresses = listenAddresses(host, networkInterfaces());
  const lines = agentAddressLines({ config: { agents: "keyed", tlsCert }, port, addresses, agentKey });
  io.out(lines.join("\n"));
}

const SUBCOMMANDS: Record<string, (work: Work) => Promise<void>> = {
  async add({ keys, audit, subject, models, json, io }) {
    const { data, error } = AddAgentKeyBody.safeParse({ name: subject, models });
    if (error?.issues[0]?.path[0] === "models")
      throw usageError("--models is not valid. Give the names of models, separated by commas.");
    if (error)
      throw usageError("The name is not valid. Give 1 to 64 characters, without control characters.");
    const id = crypto.randomUUID();
    const detail = { name: data.name, models };
    const note = { actor: "cli", action: "agent_key.add", target: id, detail } as const;
    const { key, name } = await audit.change(note, () => keys.add({ id, ...detail }));
    if (json) return io.out(toJson({ id, name, models, key }));
    io.out(table(Object.entries({ key, name, id, models: modelsText(models) })));
    io.err("This key is not shown again. Agents connect to <host>:<port>/agents/<key>.\n");
  },

  async list({ keys, json, io }) {
    const listed = await keys.list();
    if (json) io.out(toJson(listed.map(describeAgentKey)));
    else if (listed.length === 0) io.out("No agent keys, except the main one.\n");
    else io.out(table([["NAME", "ID", "CREATED", "REVOKED", "MODELS"], ...listed.map(rowOf)]));
  },

  async revoke({ keys, audit, subject, json, io }) {
    const active = (await keys.list()).filter(({ revokedAt }) => revokedAt === null);
    const key = active.find(({ id }) => id === subject) ?? active.find(({ name }) => name === subject);
    if (!key)
      throw new CommandError(
        `No active key has the name or the id ${JSON.stringify(subject)}. Run ${PROGRAM} agents list to see the keys.`,
      );
    const { id, name } = key;
    const note = { actor: "cli", action: "agent_key.revoke", target: id, detail: { name } } as const;
    await audit.change(note, () => keys.revoke(id));
    io.out(json ? toJson({ id, name, revoked: true }) : `Revoked ${name}.\n`);
  },
};

const modelsText = (models: readonly string[] | null) => models?.join(", ") ?? "all";

function rowOf(key: StoredAgentKey): string[] {
  const { id, name, models, created_at, revoked_at } = describeAgentKey(key);
  const day = (time: string | null) => time?.slice(0, 10) ?? "-";
  return [name, id, day(created_at), day(revoked_at), modelsText(models)].map(printable);
}
