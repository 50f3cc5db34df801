import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { serviceCommand } from "../../../src/cli/service/command.ts";
import { managerOf } from "../../../src/cli/service/machine.ts";
import { readAgentInstall } from "../../../src/cli/service/read-install.ts";
import type { Machine } from "../../../src/cli/service/service.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { LINUX_ROOT } from "../../support/service.ts";
import { failureOf, tempFolder } from "../../support/store.ts";
import { recordedTerminal } from "../terminal.ts";

const IS_UNIX = process.platform !== "win32";
const NAME = "chatgpt-api-agent";

/** A server, and a user of a Linux machine whose systemctl is a script. `fails` makes it fail until it is called. */
async function scene(env: Record<string, string> = {}) {
  const server = await startTestServer();
  const call = async (method: string, path: string, body?: object) => {
    const init = {
      method,
      headers: { authorization: ADMIN_KEY },
      ...(body && { body: JSON.stringify(body) }),
    };
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return (await (await fetch(`${server.url}/admin/agents/${path}`, init)).json()) as any;
  };
  const home = tempFolder();
  const bin = join(home, "bin");
  mkdirSync(bin);
  const program = join(bin, "systemctl");
  const systemctl = (code: number) => {
    writeFileSync(program, `#!/bin/sh\nexit ${code}\n`);
    chmodSync(program, 0o755);
  };
  systemctl(0);
  const machine = { platform: "linux", isAdmin: false, uid: 1000, user: "ann", home };
  const install = async (...args: string[]) => {
    const io = recordedTerminal({ HOME: home, PATH: `${bin}:/usr/bin:/bin`, ...env });
    const surroundings = { machine, command: ["/opt/chatgpt-api-server"], temporary: [] };
    const code = await serviceCommand("agent", surroundings)(["install", ...args, "--echo"], io);
    return { code, out: io.stdout(), err: io.stderr() };
  };
  return {
    ...{ server, install, systemctl },
    makeCode: async (name: string) => (await call("POST", "pairings", { name })).code as string,
    keys: async () => (await call("GET", "keys")).keys as { name: string }[],
    keysFolder: join(home, ".config", NAME),
    keyFile: join(home, ".config", NAME, "agent-key"),
    unit: join(home, ".config/systemd/user", `${NAME}.service`),
  };
}

test.if(IS_UNIX)(
  "agent install exchanges a code, and keeps the key where only the service reads it",
  async () => {
    const { server, install, makeCode, keys, keyFile, keysFolder, unit } = await scene();
    const code = await makeCode("gpu box");
    const { code: exit, out, err } = await install(server.url, "--pair", code);
    expect(exit).toBe(0);
    const key = readFileSync(keyFile, "utf8").trim();
    expect(key).toStartWith("agent-");
    expect([statSync(keyFile).mode & 0o777, statSync(keysFolder).mode & 0o777]).toEqual([0o600, 0o700]);
    const [kept = ""] = readdirSync(join(keysFolder, "paired"));
    expect(statSync(join(keysFolder, "paired", kept)).mode & 0o777).toBe(0o600);
    const text = readFileSync(unit, "utf8");
    expect(text).toContain(`\nEnvironment=CHATGPT_API_AGENT_KEY_FILE=${keyFile}\n`);
    expect(text).toContain(`\nExecStart=/opt/chatgpt-api-server agent ${server.url.replace("http", "ws")}\n`);
    for (const shown of [text, out, err]) {
      expect(shown).not.toContain(key);
      expect(shown).not.toContain(code);
    }
    expect(err).toContain("as gpu box; the key is kept in");
    expect((await keys()).map(({ name }) => name)).toEqual(["gpu box"]);
  },
);

test.if(IS_UNIX)("an installation that failed after the exchange goes on with the same code", async () => {
  const { server, install, systemctl, makeCode, keys, keyFile, unit } = await scene();
  const code = await makeCode("gpu box");
  systemctl(1);
  expect(String(await failureOf(() => install(server.url, "--pair", code)))).toContain(
    "failed with exit code 1",
  );
  systemctl(0);
  expect((await install(server.url, "--pair", code)).code).toBe(0);
  const key = readFileSync(keyFile, "utf8");
  // So does one without a code, and one with the link.
  expect((await install(server.url, "--slots", "2")).code).toBe(0);
  const text = readFileSync(unit, "utf8");
  expect(text).toContain("CHATGPT_API_SLOTS=2");
  expect(text).toContain(`CHATGPT_API_AGENT_KEY_FILE=${keyFile}\n`);
  expect((await install(`${server.url}/pair#${code}`)).code).toBe(0);
  expect(readFileSync(keyFile, "utf8")).toBe(key);
  expect(await keys()).toHaveLength(1);
});

test.if(IS_UNIX)("a further code replaces the key", async () => {
  const { server, install, makeCode, keyFile } = await scene();
  await install(server.url, "--pair", await makeCode("one"));
  const before = readFileSync(keyFile, "utf8");
  await install(server.url, "--pair", await makeCode("two"));
  expect(readFileSync(keyFile, "utf8")).not.toBe(before);
});

test.if(IS_UNIX)("with a code that does not work, nothing is installed", async () => {
  const { server, install, unit, keyFile } = await scene();
  const failure = await failureOf(() => install(server.url, "--pair", "0000-0000"));
  expect(String(failure)).toContain("the pairing code was refused (401): Invalid pairing code.");
  expect([existsSync(unit), existsSync(keyFile)]).toEqual([false, false]);
});

test.if(IS_UNIX)("a dry run exchanges no code", async () => {
  const { server, install, makeCode, keys, keysFolder, keyFile } = await scene();
  const { out } = await install(server.url, "--pair", await makeCode("gpu box"), "--dry-run");
  expect(out).toContain(`The key of the pairing is written to ${keyFile}.\n`);
  expect(out).toContain(`CHATGPT_API_AGENT_KEY_FILE=${keyFile}`);
  expect([await keys(), existsSync(keysFolder)]).toEqual([[], false]);
});

test.if(IS_UNIX)("a code beside a key is refused, and so is what is not a code", async () => {
  const { install } = await scene();
  const refused = async (...args: string[]) => String(await failureOf(() => install(...args)));
  expect(await refused("host/agents/some-key-1", "--pair", "7F4K-Q2PX")).toContain("there is a key already");
  expect(await refused("host", "--agent-key", "some-key-1", "--pair", "7F4K-Q2PX")).toContain(
    "there is a key",
  );
  expect(await refused("host", "--pair", "7F4K")).toContain("The pairing code is not valid");
  expect(await refused("host/pair#7F4K-Q2PX", "--pair", "7F4K-Q2PX")).toContain("Give one of them");
});

test.each<[string, Machine, RegExp]>([
  [
    "Linux for root",
    LINUX_ROOT,
    /LoadCredential=agent-key:\/etc\/chatgpt-api-agent\/agent-key\nEnvironment=CHATGPT_API_AGENT_KEY_FILE=%d\/agent-key\n/,
  ],
  [
    "macOS for root",
    { ...LINUX_ROOT, platform: "darwin", user: "ann" },
    /<string>\/Library\/Application Support\/chatgpt-api-agent\/keys\/agent-key<\/string>/,
  ],
  [
    "Windows for an administrator",
    { ...LINUX_ROOT, platform: "win32", home: "C:\\Users\\ann" },
    /set "CHATGPT_API_AGENT_KEY_FILE=C:\\ProgramData\\chatgpt-api-agent\\keys\\agent-key"/,
  ],
])("on %s the service reads the key of the pairing from a file of its own", (_, machine, expected) => {
  const manager = managerOf(machine);
  const places = (name: string) => manager.places(name, machine);
  const args = ["https://chat.example.com", "--pair", "7F4K-Q2PX", "--echo"];
  const { service, pairing } = readAgentInstall(args, { machine, executable: "/opt/agent", places });
  expect(pairing).toMatchObject({ code: "7F4KQ2PX", server: { label: "wss://chat.example.com" } });
  const inputs = service.inputs.map((input) => ({ ...input, text: "key-of-the-pairing" }));
  const { files, folders } = manager.install({ ...service, inputs }, machine);
  const [secret, ...others] = files;
  expect([secret?.mode, secret?.isSecret, secret?.text]).toEqual([0o600, true, "key-of-the-pairing\n"]);
  expect(folders).toContain(places(service.name).keys);
  const texts = others.map(({ text }) => text).join("\n");
  expect(texts).toMatch(expected);
  expect(texts).not.toMatch(/key-of-the-pairing|7F4K/);
});

test.if(IS_UNIX)("the code is exchanged through the proxy of the environment", async () => {
  const proxy = "http://127.0.0.1:1";
  const { install, keyFile } = await scene({ http_proxy: proxy });
  const failure = await failureOf(() => install("http://chat.invalid:8080", "--pair", "7F4K-Q2PX"));
  expect(String(failure)).toContain(`the proxy ${proxy} cannot be reached`);
  expect(existsSync(keyFile)).toBe(false);
});
