import { afterAll, beforeAll, describe } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandBlock, commandBlocks, mayRun, whyNotRun } from "../docs/commands.ts";
import { startModelServer } from "../docs/model-server.ts";
import { readPage } from "../docs/pages.ts";
import { makeSandbox, runOnStage, type Stage, writeFiles } from "../docs/sandbox.ts";
import { EXECUTABLE, runExecutable, shareExecutable } from "../support/executable.ts";
import { findProgram, testWith } from "../support/programs.ts";
import { until } from "../support/until.ts";

const models = [startModelServer(), startModelServer(), startModelServer()] as const;
const server = shareExecutable({ args: ["0", "key", "--echo"] });
const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
let shared: Omit<Stage, "code"> | undefined;

beforeAll(async () => {
  shared = await setUp();
});
afterAll(async () => {
  await Promise.all(models.map(({ stop }) => stop()));
  rmSync(folder, { recursive: true, force: true });
});

const asAdmin = async <Answer>(path: string, init: RequestInit = {}) => {
  const response = await fetch(server().url + path, { ...init, headers: { authorization: "key" } });
  return (await response.json()) as Answer;
};
const post = <Answer>(path: string) => asAdmin<Answer>(path, { method: "POST", body: "{}" });

/** Prepares what all pages share: a user, a connected agent, and a data folder on which a server has started once. */
async function setUp(): Promise<Omit<Stage, "code">> {
  const agents = async () => (await asAdmin<{ agents: { id: string }[] }>("/admin/agents")).agents;
  await until(async () => (await agents()).length > 0);
  const [{ id: agentId } = { id: "" }] = await agents();
  const { token } = await post<{ token: string }>("/admin/users/add");
  const backup = join(folder, "first.tar");
  const data = join(folder, "data");
  for (const args of [
    ["backup", backup, "--data", server().data],
    ["restore", backup, "--data", data],
  ]) {
    const { code, stderr } = await runExecutable(args);
    if (code !== 0) throw new Error(stderr);
  }
  const { url, agentKey } = server();
  const upstreams = [models[0].url, models[1].url, models[2].url] as const;
  return { url, agentKey, agentId, token, upstreams, executable: EXECUTABLE, data };
}

/** Returns the pages with the commands of them that are run, by the page. */
function runnable(): Map<string, string[]> {
  const isRun = (block: CommandBlock) =>
    block.commands.filter((each) => whyNotRun(block, each) === undefined && mayRun(each));
  const pages = Map.groupBy(commandBlocks(), ({ page }) => page);
  const runs = [...pages].map(([page, blocks]) => [page, blocks.flatMap(isRun)] as const);
  return new Map(runs.filter(([, commands]) => commands.length > 0));
}

/** Returns a program that the commands call and that this machine lacks, or else the shell. */
function missingFor(commands: readonly string[]): "bash" | "curl" | "openssl" {
  const called = (["curl", "openssl"] as const).filter((name) =>
    commands.some((each) => each.includes(name)),
  );
  return called.find((name) => findProgram(name) === undefined) ?? "bash";
}

describe("the commands of the documents", () => {
  for (const [page, commands] of runnable()) {
    testWith(missingFor(commands), `the commands of ${page} work as they are written`, async () => {
      if (shared === undefined) throw new Error("the server runs only during the tests");
      const { code } = await post<{ code: string }>("/admin/agents/pairings");
      const stage = { ...shared, code };
      const sandbox = await makeSandbox(stage);
      writeFiles(readPage(page), stage, sandbox);
      await runOnStage(commands, stage, sandbox);
    });
  }
});
