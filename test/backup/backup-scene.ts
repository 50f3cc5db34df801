import { expect } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadSeal } from "../../src/auth/seal.ts";
import { createUsers } from "../../src/auth/users.ts";
import type { Command } from "../../src/cli/terminal.ts";
import { CommandError } from "../../src/errors.ts";
import { failureOf, openTestFile, tempFolder } from "../support/store.ts";

export const SEAL_KEY = "a seal key of thirty-two characters, from the environment";

interface RunOptions {
  data?: string;
  env?: Record<string, string>;
}

/** A data folder with a user in it, and a path for backups. */
export async function scene({ sealKey }: { sealKey?: string } = {}) {
  const folder = tempFolder();
  const data = join(folder, "data");
  const file = join(folder, "server.backup");
  const output = { out: "", err: "" };
  const run = (command: Command, args: string[], { data: into = data, env = {} }: RunOptions = {}) => {
    output.out = "";
    output.err = "";
    return command([...args, "--data", into], {
      env,
      out: (text) => {
        output.out += text;
      },
      err: (text) => {
        output.err += text;
      },
    });
  };
  const openUsers = (where = data) => {
    const store = openTestFile(join(where, "server.db"));
    const seal = loadSeal({ sealKey, path: join(where, "seal.key") });
    return { store, users: createUsers({ users: store.users, seal }) };
  };
  const { store, users } = openUsers();
  const user = await users.add();
  writeFileSync(join(data, "agent.key"), "the-agent-key\n", { mode: 0o600 });
  const list = async (where?: string) => {
    const { store, users } = openUsers(where);
    const listed = (await users.list()).map(({ id, token }) => ({ user_id: id, token }));
    await store.close();
    return listed;
  };
  return { folder, data, file, output, run, store, users, user, list };
}

export const modeOf = (path: string) => statSync(path).mode & 0o777;

export async function messageOf(run: () => unknown): Promise<string> {
  const error = await failureOf(run);
  expect(error).toBeInstanceOf(CommandError);
  expect((error as CommandError).exitCode).toBe(1);
  expect((error as CommandError).message).not.toContain("\n");
  return (error as CommandError).message;
}
