import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemd, unitOf } from "../../../src/cli/service/systemd.ts";
import { testWith } from "../../support/programs.ts";
import { LINUX_ROOT, planOf } from "../../support/service.ts";
import { failureOf, tempFolder } from "../../support/store.ts";

const ADMIN_KEY = "admin-key-that-nobody-sees";
const AGENT_KEY = "agent-key-that-nobody-sees";
const UPSTREAM_KEY = "upstream-key-that-nobody-sees";
const SECRETS = [ADMIN_KEY, AGENT_KEY, UPSTREAM_KEY];
const AGENT = [
  `chat.example.com/agents/${AGENT_KEY}`,
  ...["--upstream", "http://gpu-box:8000/v1", "--upstream-key", UPSTREAM_KEY],
  ...["--model", "a<b&c", "--model", "100%", "--tag", "home", "--priority", "10"],
];
const ANN = { ...LINUX_ROOT, isAdmin: false, uid: 1000, user: "ann", home: "/home/ann" };
const MACHINES = {
  "Linux for root": LINUX_ROOT,
  "Linux for a user": ANN,
  "macOS for root": { ...LINUX_ROOT, platform: "darwin", user: "ann" },
  "macOS for a user": { ...ANN, platform: "darwin", home: "/Users/ann" },
  "Windows for an administrator": {
    ...LINUX_ROOT,
    platform: "win32",
    user: "PC\\ann",
    home: "C:\\Users\\ann",
  },
  "Windows for a user": { ...ANN, platform: "win32", user: "PC\\ann", home: "C:\\Users\\ann" },
};

for (const [where, machine] of Object.entries(MACHINES))
  test(`an installation on ${where} writes secrets only into files of mode 600 of their own`, () => {
    const plans = [planOf("serve", ["8080", ADMIN_KEY], machine), planOf("agent", AGENT, machine)];
    for (const { files, steps, secure } of plans) {
      const secretFiles = files.filter(({ isSecret }) => isSecret);
      for (const { mode, path } of secretFiles) expect([path, mode]).toEqual([path, 0o600]);
      const others = files.filter(({ isSecret }) => !isSecret).map(({ text }) => text);
      const all = [...others, ...[...steps, ...secure].flatMap(({ argv }) => argv)].join("\n");
      for (const secret of SECRETS) expect(all).not.toContain(secret);
    }
    const kept = plans.flatMap(({ files }) => files.filter(({ isSecret }) => isSecret));
    expect(kept.map(({ text }) => text).sort()).toEqual(SECRETS.map((secret) => `${secret}\n`).sort());
  });

test("a unit of a server with --domain may use low ports, and so answer the CA's checks, whatever its own port", () => {
  const unitOf = (...flags: string[]) => {
    const { files } = planOf("serve", ["8443", ADMIN_KEY, ...flags], LINUX_ROOT);
    return files.find(({ path }) => path.endsWith(".service"))?.text ?? "";
  };
  const domain = ["--domain", "chat.example.com"];
  expect(unitOf(...domain)).toContain("AmbientCapabilities=CAP_NET_BIND_SERVICE");
  expect(unitOf(...domain)).toContain("CHATGPT_API_DOMAIN=chat.example.com");
  expect(unitOf(...domain, "--acme-http-port", "8080")).not.toContain("AmbientCapabilities");
  expect(unitOf()).not.toContain("AmbientCapabilities");
});

test("a unit has every setting that was given, on the command line or in the environment", () => {
  const env = {
    CHATGPT_API_QUEUE_MAX: "7",
    HTTPS_PROXY: "http://proxy:3128",
    NODE_EXTRA_CA_CERTS: "/ca.pem",
  };
  const flags = [
    "--port",
    "8080",
    "--host",
    "127.0.0.1",
    "--fallback",
    "a=b",
    "--fallback",
    "c=d,e",
    "--echo",
  ];
  const { description } = planOf("serve", flags, { ...LINUX_ROOT, env });
  for (const line of [
    "Environment=CHATGPT_API_PORT=8080",
    "Environment=CHATGPT_API_HOST=127.0.0.1",
    'Environment="CHATGPT_API_FALLBACK=a=b;c=d,e"',
    "Environment=CHATGPT_API_ECHO=yes",
    "Environment=CHATGPT_API_QUEUE_MAX=7",
    "Environment=HTTPS_PROXY=http://proxy:3128",
    "LoadCredential=ca-certs:/ca.pem",
    "Environment=NODE_EXTRA_CA_CERTS=%d/ca-certs",
    "Environment=CHATGPT_API_DATA=/var/lib/chatgpt-api-server",
    "LoadCredential=admin-key:/etc/chatgpt-api-server/admin-key",
    "Environment=CHATGPT_API_ADMIN_KEY_FILE=%d/admin-key",
    "StateDirectory=chatgpt-api-server",
    "DynamicUser=yes",
    "TimeoutStopSec=45",
  ])
    expect(description.split("\n")).toContain(line);
});

test("the unit of a package runs as the user that the package creates, with the settings in its file", () => {
  const { service } = planOf("serve", ["8080"]);
  const packaged = { settingsFile: "/etc/a.env", user: "a" };
  const lines = unitOf({ ...service, packaged }, LINUX_ROOT).split("\n");
  expect(lines).toContain("User=a");
  expect(lines).not.toContain("DynamicUser=yes");
  // The file has the last word.
  expect(lines.indexOf("EnvironmentFile=/etc/a.env")).toBeGreaterThan(
    lines.findLastIndex((line) => line.startsWith("Environment=")),
  );
  expect(lines.join("\n")).not.toContain("serve install");
  const agent = { ...planOf("agent", AGENT).service, args: ["agent"] };
  const unit = unitOf({ ...agent, packaged: { settingsFile: "/b", argumentsFrom: "SERVER" } }, LINUX_ROOT);
  expect(unit).toContain("/chatgpt-api-server agent $SERVER\n");
  expect(unit).toContain("\nDynamicUser=yes\n");
  expect(unit).toContain("\nRestartPreventExitStatus=2\n");
});

test("a unit escapes percent signs, quotes, backslashes, blanks and dollar signs", () => {
  const args = ["localhost:8080/a$b", "--model", '50% "x\\y"'];
  const { description } = planOf("agent", args, LINUX_ROOT, "/opt/my programs/chatgpt");
  expect(description).toContain('\nExecStart="/opt/my programs/chatgpt" agent "ws://localhost:8080/a$$b"\n');
  expect(description).toContain('\nEnvironment="CHATGPT_API_MODEL=50%% \\"x\\\\y\\""\n');
});

test("a secret that is in a file of the operator is read from there, and not copied", () => {
  const folder = tempFolder();
  const file = join(folder, "key");
  writeFileSync(file, `${ADMIN_KEY}\n`);
  const inFile = planOf("serve", ["8080"], { ...LINUX_ROOT, env: { ADMIN_KEY_FILE: file } });
  expect(inFile.description).toContain(`\nLoadCredential=admin-key:${file}\n`);
  expect(inFile.files.filter(({ isSecret }) => isSecret)).toEqual([]);
});

test("a service of the system runs as the owner of a data folder that is given, and never as root", async () => {
  const { service } = planOf("serve", ["8080"]);
  const given = { ...service, data: { path: "/home/ann/data", owner: 1000 } };
  const unit = systemd.install(given, LINUX_ROOT).files.at(-1)?.text ?? "";
  expect(unit).toContain("\nUser=1000\n");
  expect(unit).toContain("\nProtectHome=tmpfs\n");
  expect(unit).toContain("\nBindPaths=/home/ann/data\n");
  expect(unit).not.toContain("DynamicUser");
  const missing = join(tempFolder(), "missing");
  const failure = await failureOf(() => planOf("serve", ["8080", "--data", missing]));
  expect(String(failure)).toContain(`${missing} does not exist`);
});

test("an admin key that the data folder has is not generated again", () => {
  const home = tempFolder();
  const data = join(home, ".local/share/chatgpt-api-server");
  const machine = { ...ANN, home };
  expect(planOf("serve", ["8080"], machine).service.inputs.map(({ id }) => id)).toEqual(["admin-key"]);
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "admin.key"), ADMIN_KEY);
  expect(planOf("serve", ["8080"], machine).service.inputs).toEqual([]);
});

test.each([
  [["0", "key"], "Give one other than 0"],
  [["8080", "--service-name", "../x"], "--service-name is not valid"],
  [["8080", "--hosst", "::1"], "Did you mean --host?"],
  [["8080", "--data", "/a\nb"], "control character"],
  [["8080", "--tls-cert", "/a\nExecStart=/b", "--tls-key", "/c"], "control character"],
])("an installation of a server refuses the arguments %j", async (args, message) => {
  const failure = await failureOf(() => planOf("serve", args, ANN));
  expect(String(failure)).toContain(message);
});

test("a proxy whose address has a password is not written into a unit", () => {
  const env = { HTTPS_PROXY: "http://ann:password-of-ann@proxy:3128" };
  expect(planOf("agent", AGENT, { ...LINUX_ROOT, env }).description).not.toContain("password-of-ann");
});

const READ_PLIST = "import json,plistlib,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";

testWith("python3", "a property list is one that a reader of property lists accepts", (python) => {
  for (const isAdmin of [true, false]) {
    const machine = { ...MACHINES["macOS for a user"], isAdmin };
    const { description } = planOf("agent", AGENT, machine, "/opt/a & b/<chatgpt>");
    const child = Bun.spawnSync([python, "-c", READ_PLIST], { stdin: Buffer.from(description) });
    expect(child.stderr.toString()).toBe("");
    const job = JSON.parse(child.stdout.toString());
    expect(job).toMatchObject({
      Label: "chatgpt-api-agent",
      ProgramArguments: ["/opt/a & b/<chatgpt>", "agent", "ws://chat.example.com:8080"],
      EnvironmentVariables: { CHATGPT_API_MODEL: "a<b&c,100%", CHATGPT_API_PRIORITY: "10" },
      KeepAlive: true,
      RunAtLoad: true,
    });
    expect(job.UserName).toBe(isAdmin ? "ann" : undefined);
  }
});

testWith("python3", "launchd updates a service when the file appears that the service creates", (python) => {
  const machine = MACHINES["macOS for root"];
  const { files, description } = planOf("agent", [...AGENT, "--allow-update"], machine);
  const update = files.find(({ path }) => path.endsWith("/chatgpt-api-agent.update.plist"));
  const read = (text = "") =>
    JSON.parse(Bun.spawnSync([python, "-c", READ_PLIST], { stdin: Buffer.from(text) }).stdout.toString());
  const request = "/Library/Application Support/chatgpt-api-agent/keys/update";
  expect(read(update?.text)).toMatchObject({
    ProgramArguments: ["/usr/local/bin/chatgpt-api-server", "update", "--requested", request],
    WatchPaths: [request],
  });
  expect(read(update?.text).UserName).toBeUndefined();
  expect(read(description).EnvironmentVariables.CHATGPT_API_UPDATE_REQUEST).toBe(request);
});

const READ_TASK = `import json,sys,xml.etree.ElementTree as e
print(json.dumps([[n.tag.split("}")[1],(n.text or "").strip()] for n in e.fromstring(sys.stdin.buffer.read()).iter()]))`;

testWith("python3", "the task of Windows is well-formed XML that runs the batch file", (python) => {
  for (const [isAdmin, trigger, account] of [
    [true, "BootTrigger", "S-1-5-19"],
    [false, "LogonTrigger", "PC\\ann"],
  ] as const) {
    const machine = { ...MACHINES["Windows for a user"], isAdmin };
    const { description, files } = planOf("agent", AGENT, machine, "C:\\Program Files\\a%b\\chatgpt.exe");
    const child = Bun.spawnSync([python, "-c", READ_TASK], {
      stdin: Buffer.from(`\ufeff${description}`, "utf16le"),
    });
    expect(child.stderr.toString()).toBe("");
    const elements: [string, string][] = JSON.parse(child.stdout.toString());
    const batch = files.find(({ path }) => path.endsWith("run.cmd"));
    expect(elements).toContainEqual([trigger, ""]);
    expect(elements).toContainEqual(["UserId", account]);
    expect(elements).toContainEqual(["Command", batch?.path ?? ""]);
    expect(batch?.text).toContain('\r\nset "CHATGPT_API_MODEL=a<b&c,100%%"\r\n');
    expect(batch?.text).toContain(
      '\r\n"C:\\Program Files\\a%%b\\chatgpt.exe" "agent" "ws://chat.example.com:8080" >> ',
    );
  }
});

test("a service that may ask for its update has a path unit, and cannot choose its source", () => {
  const flags = ["8080", ADMIN_KEY, "--auto-update", "--update-from", "https://a.example/releases"];
  const { files, description, steps } = planOf("serve", flags);
  expect(description).toContain("\nRuntimeDirectory=chatgpt-api-server\n");
  expect(description).toContain("\nEnvironment=CHATGPT_API_UPDATE_REQUEST=/run/chatgpt-api-server/update\n");
  const textOf = (name: string) => files.find(({ path }) => path === `/etc/systemd/system/${name}`)?.text;
  expect(textOf("chatgpt-api-server.update.path")).toContain("\nPathExists=/run/chatgpt-api-server/update\n");
  const unit = textOf("chatgpt-api-server.update.service");
  expect(unit).toContain(
    "\nExecStart=/usr/local/bin/chatgpt-api-server update --requested /run/chatgpt-api-server/update\n",
  );
  expect(unit).toContain("\nEnvironment=CHATGPT_API_UPDATE_FROM=https://a.example/releases\n");
  expect(steps.at(-1)?.argv).toEqual(["systemctl", "enable", "--now", "chatgpt-api-server.update.path"]);
});

test("a service that may not ask for updates has no job for them", () => {
  for (const machine of [LINUX_ROOT, MACHINES["macOS for a user"]]) {
    const { files, description } = planOf("agent", AGENT, machine);
    expect(files.filter(({ path }) => path.includes("update"))).toEqual([]);
    expect(description).not.toMatch(/update/i);
  }
});

test("on Windows a service that is to update itself is refused", async () => {
  const flags = [...AGENT, "--allow-update"];
  const refused = await failureOf(() => planOf("agent", flags, MACHINES["Windows for a user"]));
  expect(String(refused)).toContain("A service of Windows does not update itself.");
});

testWith("systemd-analyze", "systemd accepts the units of updates", (analyze) => {
  for (const machine of [LINUX_ROOT, ANN]) {
    const folder = tempFolder();
    const plan = planOf("agent", [...AGENT, "--allow-update"], machine, "/bin/true");
    const units = plan.files.filter(({ path }) => path.includes(".update."));
    for (const { path, text } of [...units, { path: "chatgpt-api-agent.service", text: plan.description }])
      writeFileSync(join(folder, path.split("/").at(-1) ?? ""), text);
    const names = units.map(({ path }) => join(folder, path.split("/").at(-1) ?? ""));
    const scope = machine.isAdmin ? [] : ["--user"];
    const env = { PATH: process.env["PATH"], SYSTEMD_UNIT_PATH: `${folder}:`, XDG_RUNTIME_DIR: folder };
    const { stderr } = Bun.spawnSync([analyze, ...scope, "verify", ...names], { env });
    const faults = stderr
      .toString()
      .split("\n")
      .filter((line) => line.includes(".update."));
    expect(faults).toEqual([]);
  }
});
