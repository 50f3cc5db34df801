import { describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TARGETS } from "../../.ci/runtime.ts";
import { version } from "../../package.json";
import { executableName, SUMS, sha256 } from "../../packaging/release.ts";
import { runExecutable } from "../support/executable.ts";
import { addExecutable, addStubs, buildPackages, ownTarget } from "../support/packages.ts";
import { testWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

const SHELL = Bun.which("sh");
const isHere = SHELL !== null && ["linux", "darwin"].includes(process.platform);
const PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** Writes SHA256SUMS for the executables in the folder. */
async function writeSums(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.startsWith("chatgpt-api-server-"));
  const lines = await Promise.all(
    files.map(async (file) => `${await sha256(join(folder, file))}  ${file}\n`),
  );
  await Bun.write(join(folder, SUMS), lines.join(""));
}

/** Makes a folder with the files of a release, whose executables are scripts, and install.sh. */
async function release(ofVersion = "0.0.1"): Promise<string> {
  const folder = tempFolder();
  await addStubs(folder, TARGETS, ofVersion);
  await writeSums(folder);
  await buildPackages(folder, "scripts");
  return folder;
}

/** Makes a folder of programs, which print one line each. */
async function programs(answers: Record<string, string>): Promise<string> {
  const folder = tempFolder();
  for (const [name, answer] of Object.entries(answers)) {
    await Bun.write(join(folder, name), `#!/bin/sh\n${answer}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

interface InstallOptions {
  home?: string;
  /** Comes first on the PATH. */
  first?: string;
}

/** Runs the install.sh of a release. */
async function install(folder: string, args: string[], { home = tempFolder(), first }: InstallOptions = {}) {
  return await runExecutable([join(folder, "install.sh"), ...args], {
    path: SHELL ?? "sh",
    env: { PATH: first ? `${first}:${PATH}` : PATH, HOME: home },
  });
}

describe.if(isHere)("install.sh", () => {
  test("install.sh installs the executable for this machine, and says what to do next", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-release-"));
    try {
      await addExecutable(folder);
      await writeSums(folder);
      await buildPackages(folder, "scripts");
      const dir = join(tempFolder(), "bin");
      const { code, stdout, stderr } = await install(folder, ["--from", folder, "--dir", dir]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const installed = join(dir, "chatgpt-api-server");
      expect(stdout).toContain(`Installed chatgpt-api-server ${version} as ${installed}\n`);
      expect(stdout).toContain(`${dir} is not on your PATH`);
      expect(stdout).toContain("chatgpt-api-server serve install 8080");
      expect((await stat(installed)).mode & 0o777).toBe(0o755);
      expect(await readdir(dir)).toEqual(["chatgpt-api-server"]);
      expect((await runExecutable(["--version"], { path: installed })).stdout).toContain(version);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("install.sh does nothing when the version is installed already, and replaces another version", async () => {
    const [first, second] = [await release("0.0.1"), await release("0.0.2")];
    const dir = tempFolder();
    const installed = join(dir, "chatgpt-api-server");
    expect((await install(first, ["--from", first, "--dir", dir])).code).toBe(0);
    const { ino } = await stat(installed);
    const again = await install(first, ["--from", `${first}/`, "--dir", dir]);
    expect([again.code, again.stdout]).toEqual([
      0,
      `${installed} is this version already: chatgpt-api-server 0.0.1.\n`,
    ]);
    expect((await stat(installed)).ino).toBe(ino);
    expect((await install(second, ["--from", second, "--dir", dir])).code).toBe(0);
    expect((await runExecutable(["--version"], { path: installed })).stdout).toBe(
      "chatgpt-api-server 0.0.2\n",
    );
    expect(await readdir(dir)).toEqual(["chatgpt-api-server"]);
  });

  test("install.sh installs for a user into ~/.local/bin", async () => {
    const folder = await release();
    const home = tempFolder();
    const first = await programs({ id: "echo 1000" });
    expect((await install(folder, ["--from", folder], { home, first })).code).toBe(0);
    expect(await readdir(join(home, ".local/bin"))).toEqual(["chatgpt-api-server"]);
  });

  testWith("curl", "install.sh downloads from an address", async () => {
    const folder = await release();
    await using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      development: false,
      fetch: (request) => new Response(Bun.file(join(folder, new URL(request.url).pathname))),
    });
    const dir = tempFolder();
    const { code } = await install(folder, ["--from", server.url.origin, "--dir", dir]);
    expect(code).toBe(0);
    expect(await readdir(dir)).toEqual(["chatgpt-api-server"]);
  });

  const own = () => executableName(ownTarget());
  const FAULTS: { what: string; spoil: (folder: string) => Promise<unknown>; says: string }[] = [
    {
      what: "has another checksum",
      spoil: async (folder) => Bun.write(join(folder, own()), "#!/bin/sh\necho evil\n"),
      says: "The checksum of",
    },
    {
      what: "is missing",
      spoil: (folder) => rm(join(folder, own())),
      says: "Cannot get chatgpt-api-server-",
    },
    { what: "has no SHA256SUMS", spoil: (folder) => rm(join(folder, SUMS)), says: "Cannot get SHA256SUMS" },
    {
      what: "is not in SHA256SUMS",
      spoil: async (folder) => Bun.write(join(folder, SUMS), `${"0".repeat(64)}  other\n`),
      says: "does not list",
    },
    {
      what: "is in SHA256SUMS twice",
      spoil: async (folder) => {
        const text = await Bun.file(join(folder, SUMS)).text();
        await Bun.write(join(folder, SUMS), `${text}${"0".repeat(64)}  ${own()}\n`);
      },
      says: "does not list",
    },
    {
      what: "does not start",
      spoil: async (folder) => {
        await Bun.write(join(folder, own()), "#!/bin/sh\nexit 132\n");
        await writeSums(folder);
      },
      says: "AVX2",
    },
  ];
  for (const { what, spoil, says } of FAULTS)
    test(`install.sh changes nothing when the executable ${what}`, async () => {
      const [before, folder] = [await release("0.0.1"), await release("0.0.2")];
      const dir = tempFolder();
      expect((await install(before, ["--from", before, "--dir", dir])).code).toBe(0);
      await spoil(folder);
      const { code, stderr } = await install(folder, ["--from", folder, "--dir", dir]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
      expect(await readdir(dir)).toEqual(["chatgpt-api-server"]);
      const installed = join(dir, "chatgpt-api-server");
      expect((await runExecutable(["--version"], { path: installed })).stdout).toBe(
        "chatgpt-api-server 0.0.1\n",
      );
    });

  const GLIBC = 'echo "ldd (GNU libc) 2.36"';
  const MUSL = 'echo "musl libc (x86_64)" >&2; exit 1';
  const uname = (system: string, machine: string) => `[ "$1" = -s ] && echo ${system} || echo ${machine}`;
  test.each([
    ["linux-x64", uname("Linux", "x86_64"), GLIBC, "exit 1"],
    ["linux-arm64", uname("Linux", "aarch64"), GLIBC, "exit 1"],
    ["linux-x64-musl", uname("Linux", "x86_64"), MUSL, "exit 1"],
    ["linux-arm64-musl", uname("Linux", "aarch64"), MUSL, "exit 1"],
    ["darwin-x64", uname("Darwin", "x86_64"), "exit 127", "echo 0"],
    ["darwin-arm64", uname("Darwin", "arm64"), "exit 127", "exit 1"],
    ["darwin-arm64", uname("Darwin", "x86_64"), "exit 127", "echo 1"],
  ])(
    "install.sh takes the executable for %s where the system says so",
    async (target, uname, ldd, sysctl) => {
      const folder = await release();
      const first = await programs({ uname, ldd, sysctl, getconf: "echo 64" });
      const dir = tempFolder();
      expect((await install(folder, ["--from", folder, "--dir", dir], { first })).code).toBe(0);
      expect(await Bun.file(join(dir, "chatgpt-api-server")).text()).toContain(`# ${target}\n`);
    },
  );

  test.each([
    ["FreeBSD", uname("FreeBSD", "amd64"), "echo 64"],
    ["riscv64", uname("Linux", "riscv64"), "echo 64"],
    ["32-bit", uname("Linux", "x86_64"), "echo 32"],
  ])("install.sh refuses a machine without an executable: %s", async (what, uname, getconf) => {
    const folder = await release();
    const dir = tempFolder();
    const first = await programs({ uname, getconf });
    const { code, stderr } = await install(folder, ["--from", folder, "--dir", dir], { first });
    expect([code, stderr]).toEqual([1, expect.stringContaining(what)]);
    expect(await readdir(dir)).toEqual([]);
  });

  test.each([
    [["--wrong"], "Unknown argument: --wrong"],
    [["--dir"], "--dir needs a value"],
    [["--version", "1/../2"], "The version is not valid"],
    [["--version", "1.2.3", "--from", "."], "exclude each other"],
  ])("install.sh refuses the arguments %j with exit code 2", async (args, says) => {
    const folder = await release();
    const { code, stderr } = await install(folder, args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
  });

  test("install.sh does nothing when it was cut off while it was downloaded", async () => {
    const folder = await release();
    const text = await Bun.file(join(folder, "install.sh")).text();
    const end = text.lastIndexOf("main ");
    for (let at = 200; at < end; at += 400) {
      const home = tempFolder();
      await mkdir(join(home, "work"));
      const cut = `set -- --from '${folder}'\n${text.slice(0, at)}`;
      await runExecutable(["-s"], {
        path: SHELL ?? "sh",
        cwd: join(home, "work"),
        stdin: cut,
        env: { PATH, HOME: home },
      });
      expect(await readdir(home, { recursive: true })).toEqual(["work"]);
    }
  });

  testWith(
    "shellcheck",
    "the scripts of the packages have no fault that shellcheck finds",
    async (shellcheck) => {
      const folder = await release();
      const child = Bun.spawnSync([shellcheck, "--shell=sh", join(folder, "install.sh")]);
      expect([child.stdout.toString(), child.exitCode]).toEqual(["", 0]);
    },
  );
});

testWith("pwsh", "install.ps1 has no syntax error, and refuses a system other than Windows", async (pwsh) => {
  const folder = tempFolder();
  await buildPackages(folder, "scripts");
  const path = join(folder, "install.ps1");
  const parse = `$errors = $null; [void][Management.Automation.Language.Parser]::ParseFile('${path}', [ref]$null, [ref]$errors); $errors; exit $errors.Count`;
  const parsed = await runExecutable(["-NoProfile", "-Command", parse], {
    path: pwsh,
    env: { HOME: folder },
  });
  expect([parsed.stdout, parsed.code]).toEqual(["", 0]);
  if (process.platform === "win32") return;
  const { code, stderr } = await runExecutable(["-NoProfile", "-File", path], {
    path: pwsh,
    env: { HOME: folder },
  });
  expect([code, stderr]).toEqual([1, expect.stringContaining("Use install.sh")]);
});
