import { type AgentKeys, createAgentKeys } from "../auth/agent-keys.ts";
import { type Audit, createAudit } from "../auth/audit.ts";
import { readSettings } from "../config/read.ts";
import { databaseIn, existingDatabaseIn } from "../data-folder.ts";
import { AppError, CommandError } from "../errors.ts";
import { AddAgentKeyBody } from "../http/admin/schema.ts";
import { openStore } from "../store/sqlite/open.ts";
import type { StoredAgentKey } from "../store/store.ts";
import type { Io } from "./io.ts";
import { takeNames, takeSwitches } from "./switches.ts";
import { table } from "./text-table.ts";
import { PROGRAM } from "./version.ts";

const USAGE = `usage: ${PROGRAM} agents add <name> [--models <models>] [--data <folder>] [--json]
       ${PROGRAM} agents list [--data <folder>] [--json]
       ${PROGRAM} agents revoke <name or id> [--data <folder>] [--json]
`;

/** A command's parts, with what it works on. */
interface Work {
  keys: AgentKeys;
  audit: Audit;
  /** The name or id given. */
  subject: string;
  models: readonly string[] | null;
  isJson: boolean;
  io: Io;
}

/** The keys that agents register with, in the local database. May run while the server does, which heeds it within a second or two. */
export async function agents(args: readonly string[], io: Io): Promise<number> {
  const { given, rest } = takeSwitches(args, ["--json"]);
  const { names: models, rest: others } = takeNames(rest, "--models");
  const { settings, positionals } = readSettings({ args: others, env: io.env }, ["data"]);
  const [subcommand = "", subject = "", ...more] = positionals;
  const run = COMMANDS[subcommand];
  const wantsSubject = subcommand !== "list";
  const isModelsWrong = models !== undefined && subcommand !== "add";
  if (!run || more.length > 0 || wantsSubject !== (subject !== "") || isModelsWrong) {
    io.err(USAGE);
    return 2;
  }
  const path = subcommand === "add" ? databaseIn(settings.data) : existingDatabaseIn(settings.data);
  const store = openStore({ path });
  try {
    const keys = createAgentKeys({ main: { matches: () => false }, store: store.agentKeys });
    const audit = createAudit({ audit: store.audit });
    await run({ keys, audit, subject, models: models ?? null, isJson: given["--json"], io });
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new CommandError(error.hint ? `${error.message}: ${error.hint}` : error.message, { cause: error });
  } finally {
    await store.close();
  }
}

const COMMANDS: Record<string, (work: Work) => Promise<void>> = {
  async add({ keys, audit, subject, models, isJson, io }) {
    const read = AddAgentKeyBody.safeParse({ name: subject, models });
    if (!read.success) {
      const [issue] = read.error.issues;
      throw new CommandError(`the ${String(issue?.path[0] ?? "name")}: ${issue?.message}`, { exitCode: 2 });
    }
    const added = { id: crypto.randomUUID(), name: read.data.name, models };
    const { id, ...detail } = added;
    const note = { actor: "cli", action: "agent_key.add", target: id, detail } as const;
    const made = await audit.change(note, () => keys.add(added));
    if (isJson) {
      io.out(`${JSON.stringify(made, undefined, 2)}\n`);
      return;
    }
    const rows = [
      ["key", made.key],
      ["name", made.name],
      ["id", made.id],
      ["models", modelsText(made.models)],
    ];
    io.out(table(rows));
    io.err("The key is not shown again. The agent's address is <host>:<port>/agents/<key>.\n");
  },

  async list({ keys, isJson, io }) {
    const listed = await keys.list();
    if (isJson) io.out(`${JSON.stringify(listed.map(jsonOf), undefined, 2)}\n`);
    else if (listed.length === 0) io.out("no agent keys but the main one\n");
    else io.out(table([["NAME", "ID", "CREATED", "REVOKED", "MODELS"], ...listed.map(rowOf)]));
  },

  async revoke({ keys, audit, subject, isJson, io }) {
    const active = (await keys.list()).filter(({ revokedAt }) => revokedAt === null);
    const key = active.find(({ id }) => id === subject) ?? active.find(({ name }) => name === subject);
    if (!key) throw new CommandError(`there is no such key, or it is revoked: see ${PROGRAM} agents list`);
    const { id, name } = key;
    const note = { actor: "cli", action: "agent_key.revoke", target: id, detail: { name } } as const;
    await audit.change(note, () => keys.revoke(id));
    io.out(isJson ? `${JSON.stringify({ id, name, revoked: true }, undefined, 2)}\n` : `revoked ${name}\n`);
  },
};

const modelsText = (models: readonly string[] | null) => models?.join(", ") ?? "all";
const timeText = (at: number | null) => (at === null ? null : new Date(at).toISOString());

function jsonOf({ id, name, models, createdAt, revokedAt }: StoredAgentKey) {
  return { id, name, models, created_at: timeText(createdAt), revoked_at: timeText(revokedAt) };
}

function rowOf({ id, name, models, createdAt, revokedAt }: StoredAgentKey): string[] {
  const day = (at: number | null) => timeText(at)?.slice(0, 10) ?? "-";
  return [name, id, day(createdAt), day(revokedAt), modelsText(models)];
}
