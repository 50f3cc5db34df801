import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE, runExecutable } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { servePage } from "../support/update/release-page.ts";
import {
  type Installed,
  installServer,
  makeRelease,
  scriptOf,
  sha256,
  useInstalled,
} from "../support/update/scene.ts";

/** The service manager of these tests is a program that stands for systemd. */
const IS_LINUX = process.platform === "linux";
const OLD = IS_LINUX ? sha256(EXECUTABLE) : "";
const NEW = scriptOf("9.9.9");
const SERVICE = "chatgpt-api-server";

const answers = async (url: string) => (await fetch(`${url}/ready?agents=0`)).status === 200;
const installedText = ({ executable }: Installed) => readFileSync(executable, "utf8");

test.if(IS_LINUX)(
  "update replaces the executable and restarts its service, and --rollback goes back",
  async () => {
    const installed = useInstalled();
    const { url } = await installServer(installed);
    const before = installed.pid(SERVICE);
    const release = makeRelease(NEW);
    const { code, stdout } = await installed.update("--from", release).ended;
    expect(stdout).toContain("Updated from 0.1.0 to 9.9.9.");
    expect([code, installedText(installed)]).toEqual([0, NEW]);
    expect(await answers(url)).toBe(true);
    expect(installed.pid(SERVICE)).not.toBe(before);
    expect(sha256(`${installed.executable}.previous`)).toBe(OLD);
    expect(installed.files()).toEqual(["chatgpt-api-server", "chatgpt-api-server.previous"]);

    const back = await installed.update("--rollback").ended;
    expect([back.code, sha256(installed.executable)]).toEqual([0, OLD]);
    expect(readFileSync(`${installed.executable}.previous`, "utf8")).toBe(NEW);
    expect(await answers(url)).toBe(true);
  },
);

test.if(IS_LINUX)("the service finishes its running requests before it is updated", async () => {
  const installed = useInstalled();
  const { url, port, adminKey } = await installServer(installed);
  const agent = await installed.install("agent", [
    `127.0.0.1:${port}`,
    "--echo",
    "--agent-key",
    agentKeyOf(installed),
  ]);
  expect(agent.code).toBe(0);
  await until(async () => (await fetch(`${url}/ready`)).status === 200);
  const asks = Array.from({ length: 50 }, () =>
    fetch(`${url}/api/ask`, {
      method: "POST",
      headers: { authorization: adminKey },
      body: JSON.stringify({ content: "word ".repeat(200) }),
    }).then(({ status }) => status),
  );
  const updated = installed.update("--from", makeRelease(NEW)).ended;
  expect(new Set(await Promise.all(asks))).toEqual(new Set([200]));
  expect((await updated).code).toBe(0);
  // Both services run the executable.
  expect((await updated).stdout).toContain("Restarting chatgpt-api-agent");
});

const agentKeyOf = ({ home }: Installed) =>
  readFileSync(join(home, ".local/share/chatgpt-api-server/agent.key"), "utf8").trim();

test.if(IS_LINUX)(
  "a version that does not become ready is taken back, and the old one serves again",
  async () => {
    const installed = useInstalled();
    const { url } = await installServer(installed);
    const broken = makeRelease(scriptOf("9.9.9", `[ "$1" = serve ] && exit 1`));
    const { code, stderr } = await installed.update("--from", broken, "--ready-within", "15s").ended;
    expect(code).toBe(1);
    expect(stderr).toContain("9.9.9 did not become ready within 15 s, so 0.1.0 is back.");
    expect(sha256(installed.executable)).toBe(OLD);
    expect(await answers(url)).toBe(true);
  },
);

test.if(IS_LINUX)(
  "a version that says it cannot use the data is refused before anything is changed",
  async () => {
    const installed = useInstalled();
    await installServer(installed);
    const before = installed.pid(SERVICE);
    const older = makeRelease(scriptOf("9.9.9", `[ "$1" = version ] && echo "data: newer" && exit 1`));
    const { code, stderr } = await installed.update("--from", older).ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining("a newer version wrote it")]);
    expect([sha256(installed.executable), installed.pid(SERVICE)]).toEqual([OLD, before]);
  },
);

test.if(IS_LINUX)("data that a version has migrated before it failed is restored", async () => {
  const installed = useInstalled();
  const { url, adminKey } = await installServer(installed);
  const headers = { authorization: adminKey };
  const added = await fetch(`${url}/admin/users/add`, { method: "POST", headers, body: '{"name":"ann"}' });
  expect(added.status).toBe(200);
  const data = join(installed.home, ".local/share/chatgpt-api-server");
  // It says that it migrates the data, writes what only a newer version would, and fails.
  const migrate = `new (require("bun:sqlite").Database)("${data}/server.db").run("PRAGMA user_version = 999")`;
  const body = [
    `[ "$1" = version ] && echo "data: older" && exit 0`,
    `[ "$1" = serve ] && '${process.execPath}' -e '${migrate}' && exit 1`,
  ].join("\n");
  const release = makeRelease(scriptOf("9.9.9", body));
  const { code, stdout, stderr } = await installed.update("--from", release, "--ready-within", "15s").ended;
  expect(stdout).toContain("Restored the data");
  expect([code, stderr]).toEqual([1, expect.stringContaining("so 0.1.0 is back")]);
  const users = await (await fetch(`${url}/admin/users?details=true`, { headers })).text();
  expect(users).toContain('"ann"');
});

const REFUSALS: [string, () => string, string][] = [
  [
    "a wrong checksum",
    () => makeRelease(NEW, undefined, `${"0".repeat(64)}  ${basenameOf()}\n`),
    "does not have the checksum",
  ],
  [
    "no executable for this machine",
    () => makeRelease(NEW, undefined, `${"0".repeat(64)}  other\n`),
    "which this machine needs",
  ],
  [
    "an executable that does not run",
    () => makeRelease("#!/bin/sh\nexit 3\n"),
    "does not run on this machine",
  ],
  ["no list of checksums", () => tempFolder(), "has no SHA256SUMS"],
  ["an older version", () => makeRelease(scriptOf("0.0.9")), ""],
];
const basenameOf = () => `chatgpt-api-server-linux-${process.arch}`;

test.if(IS_LINUX).each(REFUSALS)("a release with %s changes nothing", async (_, release, why) => {
  const installed = useInstalled();
  const { code, stdout, stderr } = await installed.update("--from", release()).ended;
  expect(stderr).toContain(why);
  expect(code).toBe(why === "" ? 0 : 1);
  if (why === "") expect(stdout).toContain("which is older than 0.1.0. Nothing was changed.");
  expect([sha256(installed.executable), installed.files()]).toEqual([OLD, ["chatgpt-api-server"]]);
});

test.if(IS_LINUX)("an older version is installed only if that is said twice", async () => {
  const installed = useInstalled();
  const older = makeRelease(scriptOf("0.0.9"));
  const refused = await installed.update("0.0.9", "--from", older).ended;
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("Add --downgrade")]);
  expect((await installed.update("0.0.9", "--downgrade", "--from", older).ended).code).toBe(0);
});

test.if(IS_LINUX)(
  "without a proof of its origin a release is refused before it runs, if one is required",
  async () => {
    const installed = useInstalled();
    const ran = join(tempFolder(), "ran");
    const release = makeRelease(`#!/bin/sh\n: > '${ran}'\necho chatgpt-api-server 9.9.9\n`);
    for (const more of [[], ["--check"]]) {
      const args = ["--from", release, "--require-provenance", ...more];
      const { code, stderr } = await installed.update(...args).ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining("The provenance is not verified")]);
      expect([installed.files(), existsSync(ran)]).toEqual([["chatgpt-api-server"], false]);
    }
  },
);

test.if(IS_LINUX)(
  "a release page says which version is the newest, and update fetches it from there",
  async () => {
    const installed = useInstalled();
    using page = servePage(makeRelease(NEW));
    const checked = await installed.update("--check", "--from", page.from).ended;
    expect([checked.code, checked.stdout]).toEqual([10, expect.stringContaining("9.9.9 can be installed")]);
    expect(sha256(installed.executable)).toBe(OLD);
    expect((await installed.update("--from", page.from).ended).code).toBe(0);
    expect(installedText(installed)).toBe(NEW);
  },
);

test.if(IS_LINUX)("a download that breaks off changes nothing", async () => {
  const installed = useInstalled();
  const page = servePage(makeRelease(NEW), { cutAfter: 10 });
  const running = installed.update("--from", page.from);
  await until(() => existsSync(`${installed.executable}.part`));
  page[Symbol.dispose]();
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining("The download broke off")]);
  expect([sha256(installed.executable), installed.files()]).toEqual([OLD, ["chatgpt-api-server"]]);
});

test.if(IS_LINUX)(
  "the built executable updates itself, and says which processes still run the old version",
  async () => {
    const { executable } = useInstalled();
    const release = makeRelease(NEW);
    const server = Bun.spawn([executable, "0", "key-of-admin", "--data", tempFolder()], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const args = ["update", "--no-restart", "--from", release];
    const { code, stdout } = await runExecutable(args, { path: executable });
    server.kill();
    expect(stdout).toContain(`kill -TERM ${server.pid}`);
    expect(code).toBe(0);
    expect((await runExecutable(["--version"], { path: executable })).stdout).toBe(
      "chatgpt-api-server 9.9.9\n",
    );
  },
);

test.if(IS_LINUX)(
  "an executable that Homebrew installed is not replaced, and the right command is printed",
  async () => {
    const { executable, home } = useInstalled();
    const path = join(home, "Cellar/chatgpt-api-server/0.1.0/bin/chatgpt-api-server");
    mkdirSync(join(path, ".."), { recursive: true });
    renameSync(executable, path);
    symlinkSync(path, executable);
    const { code, stderr } = await runExecutable(["update", "--from", makeRelease(NEW)], {
      path: executable,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("brew upgrade chatgpt-api-server")]);
    expect(sha256(path)).toBe(OLD);
  },
);
