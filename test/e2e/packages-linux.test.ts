import { expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { buildRpm } from "../../packaging/linux/rpm.ts";
import { describeRelease } from "../../packaging/release.ts";
import { runExecutable } from "../support/executable.ts";
import { addStubs, buildPackages, REPOSITORY } from "../support/packages.ts";
import { describeWith } from "../support/programs.ts";
import { makeSmallRoot, type SmallRoot } from "../support/small-root.ts";
import { tempFolder } from "../support/store.ts";

const SETTINGS = "/etc/chatgpt-api-server";
const DATA = "/var/lib/chatgpt-api-server";
const UNITS = ["chatgpt-api-server.service", "chatgpt-api-agent.service"];
const ARCH = process.arch === "arm64" ? "arm64" : "x64";
const TARGET = `linux-${ARCH}` as const;
const INSTALL_PAGE = readFileSync(join(import.meta.dir, "../../docs/install.md"), "utf8");
const CONFFILES = [`${SETTINGS}/server.env`, `${SETTINGS}/agent.env`];

function run(command: string[], env: Record<string, string> = {}): string {
  const child = Bun.spawnSync(command, { env: { ...process.env, ...env }, stdin: "ignore" });
  if (child.exitCode !== 0)
    throw new Error(`${command.join(" ")} ended with ${child.exitCode}: ${child.stderr}${child.stdout}`);
  return child.stdout.toString();
}

/** Builds the packages of one kind from scripts in the place of the executables. */
async function build(kind: "deb" | "rpm"): Promise<string> {
  const folder = tempFolder();
  await addStubs(folder);
  await buildPackages(folder, kind);
  return folder;
}

interface Installer {
  install(root: SmallRoot, file: string): void;
  remove(root: SmallRoot): void;
}

/** Checks everything that both kinds of package promise of an installation, an upgrade and a removal. */
function expectLifecycle(root: SmallRoot, [first, second]: [string, string], { install, remove }: Installer) {
  install(root, first);
  expect(root.ownership("/usr/bin/chatgpt-api-server")).toBe("755 root");
  for (const unit of UNITS) expect(root.ownership(`/usr/lib/systemd/system/${unit}`)).toBe("644 root");
  for (const file of [...CONFFILES, `${SETTINGS}/admin-key`]) expect(root.ownership(file)).toBe("600 root");
  expect(root.ownership(DATA)).toBe("700 chatgpt-api-server");
  expect(root.user("chatgpt-api-server")).toMatch(/:\/var\/lib\/chatgpt-api-server:\/usr\/sbin\/nologin$/);
  const key = root.read(`${SETTINGS}/admin-key`);
  expect(key).toMatch(/^[0-9a-f]{64}\n$/);
  const documented = [...INSTALL_PAGE.matchAll(/^\| `(\S+)` \|/gm)].map(([, name = ""]) => name);
  const paths = documented.flatMap((name) =>
    UNITS.includes(name) ? `/usr/lib/systemd/system/${name}` : name,
  );
  const created = paths.filter((path) => path.startsWith("/"));
  expect(created).toHaveLength(7);
  expect(created.filter((path) => !existsSync(join(root.path, path)))).toEqual([]);
  expect(root.systemctlCalls().filter((call) => !/daemon-reload$/.test(call))).toEqual([]);

  appendFileSync(join(root.path, CONFFILES[0] ?? ""), "CHATGPT_API_QUEUE_MAX=7\n");
  const kept = root.read(`${SETTINGS}/server.env`);
  writeFileSync(join(root.path, DATA, "server.db"), "data");
  // A second key would be another one.
  writeFileSync(join(root.path, "dev/urandom"), crypto.getRandomValues(new Uint8Array(64)));
  install(root, second);
  expect(root.read("/usr/bin/chatgpt-api-server")).toContain("second");
  expect(root.read(`${SETTINGS}/server.env`)).toBe(kept);
  expect(root.read(`${SETTINGS}/admin-key`)).toBe(key);
  const upgraded = root.systemctlCalls();
  expect(upgraded).toContain(`try-restart ${UNITS.join(" ")}`);
  expect(upgraded.filter((call) => /able|start /.test(call) && !/^try-restart/.test(call))).toEqual([]);

  remove(root);
  expect(root.read("/usr/bin/chatgpt-api-server")).toBeUndefined();
  expect(root.read("/usr/lib/systemd/system/chatgpt-api-server.service")).toBeUndefined();
  expect(root.systemctlCalls()).toContain(`disable --now ${UNITS.join(" ")}`);
  expect(root.read(`${DATA}/server.db`)).toBe("data");
  expect(root.read(`${SETTINGS}/admin-key`)).toBe(key);
  return { key, kept };
}

/** Changes the files of an unpacked package as the next version would. */
function makeSecond(tree: string): void {
  writeFileSync(join(tree, "usr/bin/chatgpt-api-server"), "#!/bin/sh\necho second\n");
  for (const file of CONFFILES) appendFileSync(join(tree, file), "# A comment of the second version.\n");
}

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

/** Defines a test that changes to another root folder. */
function testAsRoot(title: string, run: () => Promise<void>): void {
  if (isRoot) test(title, run);
  else test.skip(`${title} (skipped: run as root)`, () => {});
}

/** Both programs of Debian are in one package. */
describeWith("dpkg", "the .deb", (dpkg) => {
  const dpkgDeb = `${dpkg}-deb`;

  test("the .deb of each architecture has the executable, two units, and settings that only root may read", async () => {
    const folder = await build("deb");
    for (const [target, architecture] of [
      ["linux-x64", "amd64"],
      ["linux-arm64", "arm64"],
    ] as const) {
      const file = join(folder, `chatgpt-api-server-${target}.deb`);
      const field = (name: string) => run([dpkgDeb, "--field", file, name]).trim();
      expect([field("Architecture"), field("Version")]).toEqual([architecture, version]);
      const lines = run([dpkgDeb, "--contents", file]).trim().split("\n");
      const files = lines.filter((line) => !line.startsWith("d")).map((line) => line.split(/\s+/));
      expect(files.map(([mode, owner, , , , path]) => `${mode} ${owner} ${path}`).sort()).toEqual(
        [
          "-rw------- root/root ./etc/chatgpt-api-server/agent.env",
          "-rw------- root/root ./etc/chatgpt-api-server/server.env",
          "-rw-r--r-- root/root ./usr/lib/systemd/system/chatgpt-api-agent.service",
          "-rw-r--r-- root/root ./usr/lib/systemd/system/chatgpt-api-server.service",
          "-rw-r--r-- root/root ./usr/share/doc/chatgpt-api-server/changelog.gz",
          "-rw-r--r-- root/root ./usr/share/doc/chatgpt-api-server/copyright",
          "-rwxr-xr-x root/root ./usr/bin/chatgpt-api-server",
        ].sort(),
      );
      expect(
        lines.filter((line) => line.startsWith("d")).every((line) => line.startsWith("drwxr-xr-x root/root")),
      ).toBeTrue();
    }
  });

  test("the executable understands the settings of the .deb, and they let nobody else in", async () => {
    const folder = await build("deb");
    const tree = join(folder, "tree");
    run([dpkgDeb, "--extract", join(folder, `chatgpt-api-server-linux-${ARCH}.deb`), tree]);
    const lines = readFileSync(join(tree, `${SETTINGS}/server.env`), "utf8").split("\n");
    const active = (all: string[]) =>
      Object.fromEntries(all.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/, 2)));
    const settings = active(lines);
    expect(settings).toEqual({ CHATGPT_API_HOST: "127.0.0.1", CHATGPT_API_PORT: "8080" });
    for (const env of [settings, active(lines.map((line) => line.replace(/^#(?=\w+=)/, "")))]) {
      const given = { ...env, ADMIN_KEY: "key-of-this-test" };
      const { code, stderr } = await runExecutable(["config"], { env: given });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
  });

  testAsRoot(
    "the .deb keeps settings, key and data at an upgrade and a removal, and a purge removes them",
    async () => {
      const folder = await build("deb");
      const first = join(folder, `chatgpt-api-server-linux-${ARCH}.deb`);
      const tree = join(folder, "second");
      run([dpkgDeb, "--raw-extract", first, tree]);
      makeSecond(tree);
      const control = join(tree, "DEBIAN/control");
      writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*$/m, "Version: 99.0.0"));
      const second = join(folder, "second.deb");
      run([dpkgDeb, "-Zgzip", "-z1", "--build", tree, second]);

      const root = makeSmallRoot();
      const state = join(root.path, "var/lib/dpkg");
      mkdirSync(join(state, "info"), { recursive: true });
      mkdirSync(join(state, "updates"));
      const needed = ["libc6", "passwd"].map(
        (name) =>
          `Package: ${name}\nStatus: install ok installed\nMaintainer: a <a@example.com>\nArchitecture: ${run([dpkg, "--print-architecture"]).trim()}\nVersion: 99\nDescription: a\n`,
      );
      writeFileSync(join(state, "status"), needed.join("\n"));
      const install = (...args: string[]) =>
        run([dpkg, `--root=${root.path}`, "--force-confold", "--force-not-root", ...args], {
          DEBIAN_FRONTEND: "noninteractive",
        });
      const installer: Installer = {
        install: (_, file) => void install("--install", file),
        remove: () => void install("--remove", "chatgpt-api-server"),
      };
      const { key, kept } = expectLifecycle(root, [first, second], installer);
      expect(root.read(`${SETTINGS}/agent.env`)).toContain("of the second version");
      expect(root.read(`${SETTINGS}/server.env`)).toBe(kept);

      install("--install", second);
      expect(root.read(`${SETTINGS}/admin-key`)).toBe(key);
      install("--purge", "chatgpt-api-server");
      for (const path of [SETTINGS, DATA]) expect(existsSync(join(root.path, path))).toBeFalse();
      expect(root.user("chatgpt-api-server")).toBeUndefined();
    },
  );
});

describeWith("rpmbuild", "the .rpm", () => {
  test("the .rpm of each architecture has the executable, two units, and settings that only root may read", async () => {
    const folder = await build("rpm");
    for (const [target, architecture] of [
      ["linux-x64", "x86_64"],
      ["linux-arm64", "aarch64"],
    ] as const) {
      const file = join(folder, `chatgpt-api-server-${target}.rpm`);
      const query = (...args: string[]) => run(["rpm", "-qp", "--nosignature", ...args, file]).trim();
      expect(query("--queryformat", "%{NAME} %{VERSION} %{ARCH} %{LICENSE}")).toBe(
        `chatgpt-api-server ${version} ${architecture} MIT`,
      );
      const files = query(
        "--queryformat",
        "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]",
      );
      expect(files.split("\n").sort()).toEqual(
        [
          "-rw------- root/root /etc/chatgpt-api-server/agent.env",
          "-rw------- root/root /etc/chatgpt-api-server/server.env",
          "-rw-r--r-- root/root /usr/lib/systemd/system/chatgpt-api-agent.service",
          "-rw-r--r-- root/root /usr/lib/systemd/system/chatgpt-api-server.service",
          "-rw-r--r-- root/root /usr/share/licenses/chatgpt-api-server/LICENSE",
          "-rwxr-xr-x root/root /usr/bin/chatgpt-api-server",
          "drwxr-xr-x root/root /etc/chatgpt-api-server",
        ].sort(),
      );
      expect(query("--configfiles").split("\n").sort()).toEqual([...CONFFILES].sort());
      expect(query("--scripts")).not.toMatch(/%%|\{\{/);
    }
  });

  testAsRoot("the .rpm keeps settings, key and data at an upgrade and a removal", async () => {
    const files: string[] = [];
    for (const [index, version] of ["1.0.0", "99.0.0"].entries()) {
      const folder = tempFolder();
      await addStubs(folder, [TARGET], index === 0 ? "first" : "second");
      const release = { ...describeRelease(folder, REPOSITORY, true), version };
      files.push(join(folder, await buildRpm(release, TARGET, folder)));
    }
    const root = makeSmallRoot();
    const rpm = (...args: string[]) =>
      run(["rpm", `--root=${root.path}`, "--nodeps", "--nosignature", ...args]);
    const [first = "", second = ""] = files;
    const installer: Installer = {
      install: (_, file) => void rpm("--upgrade", file),
      remove: () => void rpm("--erase", "chatgpt-api-server"),
    };
    const { kept } = expectLifecycle(root, [first, second], installer);
    // rpm keeps the settings that were changed under another name.
    expect(root.read(`${SETTINGS}/server.env.rpmsave`)).toBe(kept);
  });
});
