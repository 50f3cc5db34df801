import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../src/cli/run.ts";
import { type Surroundings, serviceCommand } from "../../../src/cli/service/command.ts";
import type { ServiceKind } from "../../../src/cli/service/service.ts";
import { failureOf, tempFolder } from "../../support/store.ts";
import { recordedTerminal } from "../terminal.ts";

const EXECUTABLE = "/opt/chatgpt-api-server";
const IS_UNIX = process.platform !== "win32";

/** A user of a Linux machine whose systemctl and journalctl are scripts that record how they are called. */
function scene({ fails = "" } = {}) {
  const home = tempFolder();
  const bin = join(home, "bin");
  const calls = join(home, "calls");
  mkdirSync(bin);
  for (const program of ["systemctl", "journalctl"]) {
    const script = [
      "#!/bin/sh",
      `echo "${program} $*" >> '${calls}'`,
      `case "$*" in ${fails || "nothing"}) echo "it is masked" >&2; exit 3;; esac`,
    ];
    writeFileSync(join(bin, program), script.join("\n"));
    chmodSync(join(bin, program), 0o755);
  }
  const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin` };
  const surroundings: Surroundings = {
    machine: { platform: "linux", isAdmin: false, uid: 1000, user: "ann", home },
    command: [EXECUTABLE],
    temporary: [],
    healthTries: 1,
  };
  const call = async (kind: ServiceKind, args: readonly string[], isTerminal = false) => {
    const io = { ...recordedTerminal(env), isTerminal };
    const code = await serviceCommand(kind, surroundings)(args, io);
    return { code, stdout: io.stdout(), stderr: io.stderr() };
  };
  return {
    ...{ home, call },
    unit: (name: string) => join(home, ".config/systemd/user", `${name}.service`),
    /** Returns the calls since the last time. */
    calls: () => {
      const lines = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
      writeFileSync(calls, "");
      return lines.filter(Boolean);
    },
  };
}

/** Answers as a healthy server does, until the test ends. */
function healthyPort(): { port: string } & Disposable {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("OK") });
  return { port: String(server.port), [Symbol.dispose]: () => void server.stop(true) };
}

const IS_ACTIVE = "systemctl --user is-active --quiet chatgpt-api-server.service";
const STARTED = (name: string) => [
  "systemctl --user daemon-reload",
  `systemctl --user enable ${name}.service`,
  `systemctl --user restart ${name}.service`,
];

test.if(IS_UNIX)(
  "serve install writes a unit, starts it, and says how to sign in with a generated key",
  async () => {
    const { call, calls, unit, home } = scene();
    using healthy = healthyPort();
    const { code, stdout } = await call("serve", ["install", healthy.port], true);
    expect(code).toBe(0);
    expect(calls()).toEqual([...STARTED("chatgpt-api-server"), IS_ACTIVE]);
    const path = join(home, ".config/chatgpt-api-server/admin-key");
    const key = readFileSync(path, "utf8").trim();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(key.length).toBeGreaterThan(40);
    expect(stdout).toContain(key);
    expect(stdout).toContain(`http://127.0.0.1:${healthy.port}/dashboard`);
    expect(stdout).toContain("loginctl enable-linger ann");
    const text = readFileSync(unit("chatgpt-api-server"), "utf8");
    expect(text).not.toContain(key);
    expect(text).toContain(`\nEnvironment=CHATGPT_API_ADMIN_KEY_FILE=${path}\n`);
    expect(text).toContain(`\nExecStart=${EXECUTABLE} serve\n`);
  },
);

test.if(IS_UNIX)("a second installation changes the unit, restarts it, and keeps the admin key", async () => {
  const { call, calls, unit, home } = scene();
  using healthy = healthyPort();
  await call("serve", ["install", healthy.port]);
  const keyPath = join(home, ".config/chatgpt-api-server/admin-key");
  const key = readFileSync(keyPath, "utf8");
  const before = readFileSync(unit("chatgpt-api-server"), "utf8");
  await call("serve", ["install", healthy.port]);
  expect(readFileSync(unit("chatgpt-api-server"), "utf8")).toBe(before);
  calls();
  const { stdout } = await call("serve", ["install", healthy.port, "--queue-max", "7"]);
  expect(readFileSync(unit("chatgpt-api-server"), "utf8")).toContain("CHATGPT_API_QUEUE_MAX=7");
  expect(readFileSync(keyPath, "utf8")).toBe(key);
  expect(stdout).not.toContain(key.trim());
  expect(stdout).toContain(keyPath);
  expect(calls()).toEqual([...STARTED("chatgpt-api-server"), IS_ACTIVE]);
});

test.if(IS_UNIX)("a generated admin key is not shown where a log would keep it", async () => {
  const { call, home } = scene();
  using healthy = healthyPort();
  const { stdout, stderr } = await call("serve", ["install", healthy.port]);
  const key = readFileSync(join(home, ".config/chatgpt-api-server/admin-key"), "utf8").trim();
  expect(stdout + stderr).not.toContain(key);
});

test.if(IS_UNIX)("several agents are services of their own, and each is removed alone", async () => {
  const { call, calls, unit, home } = scene();
  const args = ["install", "localhost:8080/agents/key-of-agents", "--echo"];
  expect((await call("agent", args)).code).toBe(0);
  expect((await call("agent", [...args, "--service-name", "two"])).code).toBe(0);
  expect(calls()).toEqual([...STARTED("chatgpt-api-agent"), ...STARTED("chatgpt-api-agent-two")]);
  const keyPath = join(home, ".config/chatgpt-api-agent-two/agent-key");
  expect(readFileSync(keyPath, "utf8")).toBe("key-of-agents\n");

  const removed = await call("agent", ["uninstall", "--service-name", "two"]);
  expect(removed.stdout).toContain(join(home, ".config/chatgpt-api-agent-two"));
  expect([existsSync(unit("chatgpt-api-agent")), existsSync(unit("chatgpt-api-agent-two"))]).toEqual([
    true,
    false,
  ]);
  expect(existsSync(keyPath)).toBe(true);
  expect(calls()).toEqual([
    "systemctl --user disable --now chatgpt-api-agent-two.service",
    "systemctl --user daemon-reload",
    "systemctl --user reset-failed chatgpt-api-agent-two.service",
  ]);
  const again = await failureOf(() => call("agent", ["uninstall", "--service-name", "two"]));
  expect(String(again)).toContain("There is no service chatgpt-api-agent-two");
});

test.if(IS_UNIX)("an installation without updates ends those that an earlier one allowed", async () => {
  const { call, calls, unit } = scene();
  const args = ["install", "localhost", "--echo"];
  const path = unit("chatgpt-api-agent").replace(".service", ".update.path");
  await call("agent", [...args, "--allow-update"]);
  const enabled = "systemctl --user enable --now chatgpt-api-agent.update.path";
  expect(calls()).toEqual([...STARTED("chatgpt-api-agent"), enabled]);
  expect(existsSync(path)).toBe(true);
  await call("agent", args);
  const disabled = "systemctl --user disable --now chatgpt-api-agent.update.path";
  expect(calls()).toEqual([...STARTED("chatgpt-api-agent"), disabled]);
  expect(existsSync(path)).toBe(false);
});

test.if(IS_UNIX)("status and logs run the programs of the system and pass their exit codes on", async () => {
  const { call, calls } = scene({ fails: "*status*" });
  await call("agent", ["install", "localhost", "--echo"]);
  calls();
  expect((await call("agent", ["status"])).code).toBe(3);
  expect((await call("agent", ["logs", "--follow"])).code).toBe(0);
  expect(calls()).toEqual([
    "systemctl --user status --no-pager chatgpt-api-agent.service",
    "journalctl --user --unit chatgpt-api-agent.service --lines 100 --output cat --follow",
  ]);
});

test.if(IS_UNIX)("a dry run prints files and commands without secrets, and changes nothing", async () => {
  const { call, calls, home } = scene();
  const { stdout } = await call("serve", ["install", "8080", "key-of-the-admin", "--dry-run"]);
  expect(stdout).toContain("\n[Service]\n");
  expect(stdout).toContain("admin-key (mode 600)\n***\n");
  expect(stdout).toContain("\n$ systemctl --user restart chatgpt-api-server.service\n");
  expect(stdout).not.toContain("key-of-the-admin");
  expect([calls(), existsSync(join(home, ".config"))]).toEqual([[], false]);
});

test.if(IS_UNIX)("an installation that fails repeats what the system said", async () => {
  const { call } = scene({ fails: "*restart*" });
  const failure = await failureOf(() => call("agent", ["install", "localhost", "--echo"]));
  expect(String(failure)).toContain(
    "systemctl --user restart chatgpt-api-agent.service failed with exit code 3.",
  );
  expect(String(failure)).toContain("it is masked");
});

test.if(IS_UNIX)("a unit that somebody else wrote is not replaced, and not removed", async () => {
  const { call, calls, unit } = scene();
  const path = unit("chatgpt-api-agent");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "[Service]\n");
  for (const args of [["install", "localhost", "--echo"], ["uninstall"]])
    expect(String(await failureOf(() => call("agent", args)))).toContain("did not write it");
  expect([calls(), readFileSync(path, "utf8")]).toEqual([[], "[Service]\n"]);
});

test.if(IS_UNIX)("a server that does not answer after its installation is reported", async () => {
  const { call } = scene();
  let closed: string;
  {
    using healthy = healthyPort();
    closed = healthy.port;
  }
  const { code, stderr } = await call("serve", ["install", closed]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("The server does not answer yet.")]);
});

test.if(IS_UNIX)("a server is reported that does not run while another one answers on its port", async () => {
  const { call } = scene({ fails: "*is-active*" });
  using healthy = healthyPort();
  const { code, stderr } = await call("serve", ["install", healthy.port]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("The server does not answer yet.")]);
});

test("a checkout is not installed as a service", async () => {
  const io = recordedTerminal({ PATH: process.env["PATH"] });
  expect(await run(["serve", "install", "8080"], io)).toBe(1);
  expect(io.stderr()).toContain("A service needs the executable");
});

test.if(IS_UNIX).each([
  ["/tmp/chatgpt-api-server", false, "temporary folder"],
  ["/home/ann/chatgpt-api-server", true, "in a home folder"],
])("the executable at %s is refused if root is %p", async (path, isAdmin, message) => {
  const io = recordedTerminal({ PATH: process.env["PATH"] });
  const command = serviceCommand("agent", {
    machine: { platform: "linux", isAdmin },
    command: [path],
    temporary: ["/tmp/"],
  });
  const failure = await failureOf(() => command(["install", "localhost"], io));
  expect(String(failure)).toContain(message);
  expect(String(failure)).toContain(`install -m 755 ${path} /usr/local/bin/chatgpt-api-server`);
});

test.if(IS_UNIX)("an executable in the cache of npx is not installed as a service", async () => {
  const path = "/home/ann/.npm/_npx/1a2b/node_modules/a/bin/chatgpt-api-server";
  const machine = { platform: "linux", isAdmin: false };
  const command = serviceCommand("agent", { machine, command: [path], temporary: [] });
  const failure = await failureOf(() => command(["install", "localhost"], recordedTerminal({})));
  expect(String(failure)).toContain("npm install --global chatgpt-api-server");
});
