import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageUnits } from "../../packaging/linux/units.ts";
import { EXECUTABLE } from "../support/executable.ts";
import { testWith } from "../support/programs.ts";
import { LINUX_ROOT, planOf } from "../support/service.ts";
import { tempFolder } from "../support/store.ts";

const AGENT = [
  "https://chat.example.com/agents/key-of-agent",
  "--upstream",
  "http://localhost:11434",
  "--tag",
  "a",
];

/** The rating of `systemd-analyze security`, times ten, is at most `exposureMax`. */
const CASES = [
  { what: "a server", kind: "serve", args: ["8080", "--host", "127.0.0.1"], exposureMax: 16 },
  {
    what: "a server on a low port",
    kind: "serve",
    args: ["443", "--tls-cert", "/a b.pem", "--tls-key", "/k%.pem"],
    exposureMax: 18,
  },
  { what: "an agent", kind: "agent", args: AGENT, exposureMax: 15 },
] as const;

for (const { what, kind, args, exposureMax } of CASES)
  testWith(
    "systemd-analyze",
    `systemd understands every line of the unit of ${what}, and rates it safe`,
    (analyze) => {
      const { description } = planOf(kind, args, LINUX_ROOT, EXECUTABLE);
      expect(description).toContain("\nLimitCORE=0\n");
      const path = join(tempFolder(), "chatgpt-api.service");
      writeFileSync(path, description);
      const verified = Bun.spawnSync([analyze, "verify", path]);
      expect([verified.stderr.toString(), verified.exitCode]).toEqual(["", 0]);
      const rated = Bun.spawnSync([analyze, "security", "--offline=yes", `--threshold=${exposureMax}`, path]);
      expect([rated.stdout.toString().trim().split("\n").at(-1), rated.exitCode]).toEqual([
        expect.any(String),
        0,
      ]);
    },
  );

testWith(
  "systemd-analyze",
  "systemd understands every line of the units of the packages, and rates them safe",
  (analyze) => {
    const exposureMax = { "chatgpt-api-server.service": 16, "chatgpt-api-agent.service": 15 };
    const units = packageUnits();
    expect(Object.keys(units)).toEqual(Object.keys(exposureMax));
    for (const [name, max] of Object.entries(exposureMax)) {
      const path = join(tempFolder(), name);
      writeFileSync(path, (units[name] ?? "").replaceAll("/usr/bin/chatgpt-api-server", EXECUTABLE));
      const verified = Bun.spawnSync([analyze, "verify", path]);
      expect([verified.stderr.toString(), verified.exitCode]).toEqual(["", 0]);
      const rated = Bun.spawnSync([analyze, "security", "--offline=yes", `--threshold=${max}`, path]);
      expect([rated.stdout.toString().trim().split("\n").at(-1), rated.exitCode]).toEqual([
        expect.any(String),
        0,
      ]);
    }
  },
);

testWith("systemd-analyze", "systemd understands every line of the units of users", (analyze) => {
  const home = tempFolder();
  const machine = { ...LINUX_ROOT, isAdmin: false, uid: 1000, user: "ann", home };
  for (const { kind, args } of CASES) {
    const { description } = planOf(kind, args, machine, EXECUTABLE);
    const path = join(home, "chatgpt-api.service");
    writeFileSync(path, description);
    const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: home };
    const verified = Bun.spawnSync([analyze, "--user", "verify", path], { env });
    expect([verified.stderr.toString(), verified.exitCode]).toEqual(["", 0]);
  }
});
