import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TARGETS } from "../../.ci/runtime.ts";
import { version } from "../../package.json";
import { runExecutable, startExecutable } from "../support/executable.ts";
import { manifestIn, type Registry, startRegistry } from "../support/npm-registry.ts";
import { addExecutable, addStubs, buildPackages, ownTarget, REPOSITORY } from "../support/packages.ts";
import { describeWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

describeWith("npm", "the packages for npm", (npmPath) => {
  let folder = "";
  let tarballs: string[] = [];
  let registry: Registry;
  /** Has Node and npm, and not Bun. */
  let path = "";
  /** Has what npm installs from the registry. */
  let installed = "";
  let downloads: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-npm-"));
    await addStubs(
      folder,
      TARGETS.filter((target) => target !== ownTarget()),
    );
    await addExecutable(folder);
    tarballs = (await buildPackages(folder, "npm")).map((file) => join(folder, file));
    registry = await startRegistry(tarballs);
    const programs = join(folder, "programs");
    await mkdir(programs);
    for (const program of ["node", "npm", "npx"])
      await symlink(Bun.which(program) ?? join(dirname(npmPath), program), join(programs, program));
    path = `${programs}:/usr/bin:/bin`;
    installed = join(folder, "installed");
    await install(installed, "chatgpt-api-server");
    downloads = [...registry.downloads];
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs npm or npx in a folder, with this registry only. */
  async function run(program: "npm" | "npx", args: string[], cwd: string) {
    const flags = ["--registry", registry.url, "--cache", join(cwd, ".cache"), "--no-audit", "--no-fund"];
    const result = await runExecutable([...flags, ...args], {
      path: join(folder, "programs", program),
      cwd,
      env: { PATH: path, HOME: cwd },
    });
    return result;
  }

  async function install(cwd: string, ...args: string[]): Promise<string> {
    await mkdir(cwd, { recursive: true });
    await Bun.write(join(cwd, "package.json"), "{}");
    const { code, stderr } = await run("npm", ["install", ...args], cwd);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    return cwd;
  }

  const launcherIn = (cwd: string) => join(cwd, "node_modules/.bin/chatgpt-api-server");
  const packageOf = (target: string) => `chatgpt-api-server-${target}`;

  test("there is a package for each executable, and one with the launcher, which is the last to publish", async () => {
    const manifests = await Promise.all(tarballs.map(manifestIn));
    const names = [...TARGETS.map(packageOf), "chatgpt-api-server"];
    expect(manifests.map(({ name }) => name)).toEqual(names);
    for (const manifest of manifests)
      expect(manifest).toMatchObject({
        version,
        license: "MIT",
        repository: { url: `git+https://github.com/${REPOSITORY}.git` },
        publishConfig: { access: "public" },
      });
    const [musl, windows] = ["linux-arm64-musl", "windows-x64"].map((target) =>
      manifests.find(({ name }) => name === packageOf(target)),
    );
    expect(musl).toMatchObject({ os: ["linux"], cpu: ["arm64"], libc: ["musl"] });
    expect(windows).toMatchObject({ os: ["win32"], cpu: ["x64"] });
    expect(windows).not.toHaveProperty("libc");
    const optionalDependencies = Object.fromEntries(TARGETS.map((target) => [packageOf(target), version]));
    expect(manifests.at(-1)).toMatchObject({ optionalDependencies });
    expect(manifests.some((manifest) => "scripts" in manifest || "dependencies" in manifest)).toBeFalse();
  });

  test("npm installs the package for this machine alone, and the server runs and stops as the executable does", async () => {
    const own = packageOf(ownTarget());
    expect(downloads.sort()).toEqual([`${own}-${version}.tgz`, `chatgpt-api-server-${version}.tgz`].sort());
    const modules = (await readdir(join(installed, "node_modules"))).filter((name) => !name.startsWith("."));
    expect(modules.sort()).toEqual(["chatgpt-api-server", own].sort());

    const server = await startExecutable({ path: launcherIn(installed), env: { PATH: path } });
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
    server.kill("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test("the tarballs can be installed without a registry, and the server survives a signal to both processes", async () => {
    const files = tarballs.filter(
      (file) => file.includes(`${packageOf(ownTarget())}-${version}`) || file === tarballs.at(-1),
    );
    expect(files).toHaveLength(2);
    const cwd = await install(tempFolder(), "--offline", ...files);
    const server = await startExecutable({ path: launcherIn(cwd), env: { PATH: path } });
    if (process.platform === "linux") {
      const children = await Bun.file(`/proc/${server.pid}/task/${server.pid}/children`).text();
      // systemd signals each process of a unit.
      process.kill(Number(children.trim()), "SIGTERM");
    }
    server.kill("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test("the launcher passes on exit codes and output", async () => {
    const launcher = launcherIn(installed);
    const env = { PATH: path };
    expect(await runExecutable(["--version"], { path: launcher, env })).toEqual({
      code: 0,
      stdout: `chatgpt-api-server ${version}\n`,
      stderr: "",
    });
    expect((await runExecutable(["--no-such-flag"], { path: launcher, env })).code).toBe(2);
    const server = await startExecutable({ path: launcher, env });
    if (process.platform !== "linux") return;
    const children = await Bun.file(`/proc/${server.pid}/task/${server.pid}/children`).text();
    process.kill(Number(children.trim()), "SIGKILL");
    expect(await server.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("npx runs the executable without an installation", async () => {
    const { code, stdout } = await run("npx", ["--yes", "chatgpt-api-server", "--version"], tempFolder());
    expect([code, stdout]).toEqual([0, `chatgpt-api-server ${version}\n`]);
  });

  test("the launcher says what to do when the package for this machine was left out", async () => {
    const cwd = await install(tempFolder(), "chatgpt-api-server", "--omit=optional");
    const { code, stderr } = await runExecutable(["--version"], {
      path: launcherIn(cwd),
      env: { PATH: path },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`The package ${packageOf(ownTarget())} is not installed`);
    expect(stderr).toContain("--omit=optional");
  });

  test("the launcher names the machines that it runs on when there is no executable for this one", async () => {
    const cwd = await install(tempFolder(), "chatgpt-api-server", "--omit=optional");
    const launcher = join(cwd, "node_modules/chatgpt-api-server/bin/chatgpt-api-server.cjs");
    const script = `Object.defineProperty(process, "arch", { value: "riscv64" }); require(${JSON.stringify(launcher)})`;
    const { code, stderr } = await runExecutable(["-e", script], {
      path: join(folder, "programs/node"),
      env: { PATH: path },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `There is no executable for ${process.platform} on riscv64. There is one for: linux-x64,`,
    );
  });

  test("the launcher starts the executable that fits the C library when the packages for both are installed", async () => {
    if (process.platform !== "linux") return;
    const cwd = await install(tempFolder(), "chatgpt-api-server", "--omit=optional");
    for (const libc of ["", "-musl"])
      await Bun.write(
        join(cwd, `node_modules/chatgpt-api-server-linux-${process.arch}${libc}/bin/chatgpt-api-server`),
        `#!/bin/sh\necho "${libc || "glibc"}"\n`,
      );
    await Bun.$`chmod 755 ${cwd}/node_modules/${packageOf(`linux-${process.arch}`)}/bin/chatgpt-api-server ${cwd}/node_modules/${packageOf(`linux-${process.arch}-musl`)}/bin/chatgpt-api-server`;
    const { stdout } = await runExecutable([], { path: launcherIn(cwd), env: { PATH: path } });
    expect(stdout).toBe("glibc\n");
  });
});
