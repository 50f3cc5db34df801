import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { lockExclusive } from "../../src/store/sqlite/lock.ts";
import { tempFolder } from "../support/store.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** Starts a command of the program in a process of its own. */
function start(...args: string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdout: "pipe", stderr: "pipe", env: {} });
  onTestFinished(() => child.kill("SIGKILL"));
  return child;
}

function startServer(data: string, ...args: string[]) {
  const child = start("0", "admin-key-of-the-tests", "--data", data, "--host", "127.0.0.1", ...args);
  return { child, outcome: outcomeOf(child) };
}

/** Resolves once the server listens, or with its exit code and what it printed. */
async function outcomeOf({ stdout, stderr, exited }: ReturnType<typeof start>) {
  const said = new Response(stderr).text();
  let logged = "";
  const decoder = new TextDecoder();
  for await (const part of stdout) {
    logged += decoder.decode(part, { stream: true });
    const port = /"event":"listening".*?"port":(\d+)/.exec(logged)?.[1];
    if (port !== undefined) return { port: Number(port) };
  }
  return { code: await exited, said: await said };
}

const refused = (data: string) => ({
  code: 1,
  said: `chatgpt-api-server: The data folder ${data} is in use by another server. Stop that server, or choose another folder with --data.\n`,
});

test("a second server on the same data folder ends with exit code 1 in one line, and a crashed server blocks nothing", async () => {
  const data = tempFolder();
  const first = startServer(data);
  expect(await first.outcome).toEqual({ port: expect.any(Number) });
  expect(await startServer(data).outcome).toEqual(refused(data));
  first.child.kill("SIGKILL");
  await first.child.exited;
  expect(await startServer(data).outcome).toEqual({ port: expect.any(Number) });
});

test("one of two servers that start on the same data folder at the same moment runs, and the other is refused", async () => {
  const data = tempFolder();
  const outcomes = await Promise.all([startServer(data).outcome, startServer(data).outcome]);
  expect(outcomes).toContainEqual({ port: expect.any(Number) });
  expect(outcomes).toContainEqual(refused(data));
});

test("commands share the data folder with a running server, and a restore is refused", async () => {
  const data = tempFolder();
  const backup = join(tempFolder(), "server.backup");
  await startServer(data).outcome;
  const run = async (...args: string[]) => {
    const child = start(...args, "--data", data);
    return [await child.exited, await new Response(child.stderr).text()];
  };
  expect(await run("users", "add", "--name", "Ann")).toEqual([0, ""]);
  expect(await run("agents", "add", "desk")).toEqual([0, expect.any(String)]);
  expect(await run("backup", backup)).toEqual([0, ""]);
  expect(await run("restore", backup)).toEqual([1, expect.stringContaining("is in use. Stop the server")]);
});

test("a server that finds a restore at work says so", async () => {
  const data = tempFolder();
  const release = lockExclusive(join(data, "server.db"));
  onTestFinished(release);
  expect(await startServer(data).outcome).toEqual({
    code: 1,
    said: expect.stringContaining("A restore is replacing the data of"),
  });
});

test("a second server on the same port and --host ends with exit code 1, and says that the port is in use", async () => {
  const first = await startServer(tempFolder()).outcome;
  for (const host of [["--host", "127.0.0.1"], []]) {
    const child = start(String(first.port), "admin-key-of-the-tests", "--data", tempFolder(), ...host);
    expect(await outcomeOf(child)).toEqual({ code: 1, said: expect.stringContaining("The port is in use") });
  }
});
