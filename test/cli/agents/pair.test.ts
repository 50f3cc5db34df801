import { expect, test } from "bun:test";
import { join } from "node:path";
import { hashSecret } from "../../../src/auth/secret.ts";
import { agents } from "../../../src/cli/agents.ts";
import type { CommandError } from "../../../src/errors.ts";
import { failureOf, newDataFolder, openTestFile } from "../../support/store.ts";
import { recordedTerminal } from "../terminal.ts";

function scene() {
  const data = newDataFolder();
  const run = async (args: string[], isTerminal = false) => {
    const io = { ...recordedTerminal(), isTerminal };
    expect(await agents(["pair", ...args, "--data", data], io)).toBe(0);
    return { out: io.stdout(), err: io.stderr() };
  };
  const store = openTestFile(join(data, "server.db"));
  return { data, run, store };
}

const codeIn = (out: string) => /^code +(\S+)$/m.exec(out)?.[1] ?? "";

test("agents pair makes a code, and prints the command that uses it", async () => {
  const { run, store } = scene();
  const { out, err } = await run(["--host", "192.0.2.7", "--port", "8081"]);
  const code = codeIn(out);
  expect(code).toMatch(/^[\dA-Z]{4}-[\dA-Z]{4}$/);
  expect(out).toMatch(
    new RegExp(`^from elsewhere +chatgpt-api-server agent http://192.0.2.7:8081 --pair ${code}$`, "m"),
  );
  expect(out).toContain(`http://192.0.2.7:8081/pair#${code}`);
  expect(err).toContain("works once, within ten minutes");
  expect(await store.pairings.find(hashSecret(code.replace("-", "")))).toMatchObject({ name: null });
  expect(await store.agentKeys.list()).toEqual([]);
});

test("agents pair takes a name and what agents add takes, and writes it to the audit without the code", async () => {
  const { run, store } = scene();
  const flags = ["--models", "m, n", "--priority", "5", "--tag", "home", "--show-name", "--json"];
  const { out } = await run(["gpu box", ...flags, "--server", "https://chat.example.com/api"]);
  const { id, code, links, expires_at, ...rest } = JSON.parse(out);
  const said = { models: ["m", "n"], priority: 5, tags: ["home"], shows_name: true };
  expect(rest).toEqual({ name: "gpu box", ...said, weight: null, owner_id: null });
  expect(links).toEqual([`https://chat.example.com/api/pair#${code}`]);
  expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
  const rows = await store.audit.list({ limit: 9 });
  const detail = { name: "gpu box", ...said };
  expect(rows).toMatchObject([{ actor: "cli", action: "pairing.add", target: id, detail }]);
  expect(JSON.stringify(rows)).not.toContain(code);
});

test("agents pair names the server by its public URL, and also by its address on this machine", async () => {
  const { run } = scene();
  const given = ["--public-url", "https://chat.example.com", "--port", "8081"];
  const { out } = await run([...given, "--host", "127.0.0.1"]);
  const code = codeIn(out);
  expect(out).toContain(`chatgpt-api-server agent http://127.0.0.1:8081 --pair ${code}\n`);
  expect(out).toMatch(
    new RegExp(`^from elsewhere +chatgpt-api-server agent https://chat.example.com --pair ${code}$`, "m"),
  );
  expect(out).toContain(`https://chat.example.com/pair#${code}\n`);
  const { links } = JSON.parse((await run([...given, "--server", "https://other.example", "--json"])).out);
  expect(links).toEqual([expect.stringMatching(/^https:\/\/other\.example\/pair#/)]);
});

test("agents pair shows the link as a QR code on a terminal only", async () => {
  const { run } = scene();
  expect((await run([], true)).out).toMatch(/[▀▄█]{10}/);
  expect((await run([])).out).not.toMatch(/[▀▄█]/);
});

test.each([
  [["a", "b"], "Give at most one name"],
  [["a\u0007"], "The name is not valid"],
  [["--models", ""], "--models is not valid"],
  [["--server", "ftp://x"], "Give the server's address"],
  [["--server", "host/agents/some-key"], "--server has an agent key"],
  [["--port", "0"], "Port 0 stands for any free port"],
])("agents pair %j is refused with exit code 2, and makes no code", async (args, message) => {
  const { run, store } = scene();
  const error = (await failureOf(() => run(args))) as CommandError;
  expect(error.exitCode).toBe(2);
  expect(error.message).toStartWith(message);
  expect(await store.pairings.list()).toEqual([]);
});
