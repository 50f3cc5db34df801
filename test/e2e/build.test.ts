import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { EXECUTABLE, runExecutable, startExecutable } from "../support/executable.ts";

const ROOT = join(import.meta.dir, "../..");
/** Bun itself takes 107 MB. */
const SIZE_MAX = 123e6;

/** A folder with a copy of the executable, and every file that a program built by Bun may read in its folder. */
let folder = "";
let path = "";
const MARKER = "preload-ran";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-hostile-"));
  path = join(folder, "chatgpt-api-server");
  await copyFile(EXECUTABLE, path);
  const files = {
    ".env": "ADMIN_KEY=evil-admin-key\nPORT=1\nCHATGPT_API_DATA=evil-data\nCHATGPT_API_AGENTS=open\n",
    ".env.local": "CHATGPT_API_ADMIN_KEY=evil-admin-key\n",
    ".env.production": "CHATGPT_API_HOST=not a host\n",
    "bunfig.toml": 'preload = ["./preload.ts"]\n[define]\n"process.env.ADMIN_KEY" = "\'evil-admin-key\'"\n',
    "preload.ts": `await Bun.write(${JSON.stringify(join(folder, MARKER))}, "");\n`,
    "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./preload.ts"] } } }\n',
    "package.json": '{ "name": "evil", "version": "6.6.6", "main": "./preload.ts" }\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

afterEach(() => rm(join(folder, MARKER), { force: true }));

async function preloadRan(): Promise<boolean> {
  return (await readdir(folder)).includes(MARKER);
}

async function addUser(url: string, adminKey: string): Promise<Response> {
  return fetch(`${url}/admin/users/add`, { method: "POST", body: JSON.stringify({ admin_key: adminKey }) });
}

describe("in a hostile folder", () => {
  test("the executable serves in a hostile folder with its own settings and its own data folder", async () => {
    const server = await startExecutable({ path, cwd: folder, env: { CHATGPT_API_DATA: undefined } });
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
    expect((await addUser(server.url, "evil-admin-key")).status).toBe(401);
    expect((await addUser(server.url, server.adminKey)).status).toBe(200);
    expect(await preloadRan()).toBeFalse();
    const names = await readdir(folder);
    expect(names).toContain("data");
    expect(names).not.toContain("evil-data");
  });

  test("a file in the folder does not let agents register without a key", async () => {
    const server = await startExecutable({ path, cwd: folder });
    const answer = await fetch(`${server.url}/client/register`, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "x-forwarded-for": "203.0.113.1",
      },
    });
    expect([401, 403]).toContain(answer.status);
  });

  test("a file in the folder does not set the admin key", async () => {
    const { code, stderr } = await runExecutable(["0"], { path, cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toContain("admin key");
    expect(await preloadRan()).toBeFalse();
  });

  test("a file in the folder does not change the version", async () => {
    const { code, stdout } = await runExecutable(["--version"], { path, cwd: folder });
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: expect.stringContaining(version) });
  });

  test.each(["--preload", "--import", "--require"])(
    "BUN_OPTIONS=%s runs no code from a file",
    async (option) => {
      const env = { BUN_OPTIONS: `${option} ./preload.ts` };
      const { code } = await runExecutable(["--version"], { path, cwd: folder, env });
      expect(code).not.toBeNull();
      expect(await preloadRan()).toBeFalse();
    },
  );

  test("an inspector cannot be attached to the executable", async () => {
    const env = { BUN_INSPECT: "ws://127.0.0.1:0/" };
    const { code, stderr } = await runExecutable(["--version"], { path, cwd: folder, env });
    expect(code).toBe(1);
    expect(stderr).toContain("BUN_INSPECT cannot be used");
  });
});

describe("the executable", () => {
  test("the executable serves no page of a development server, whatever the environment says", async () => {
    const server = await startExecutable({ env: { NODE_ENV: "development" } });
    const requests: [string, RequestInit][] = [
      ["/nothing", {}],
      ["/%E0%A4%A", {}],
      ["/api/ask", { method: "POST", body: "{" }],
      ["/_bun/client", {}],
      ["/src/main.ts", {}],
    ];
    for (const [path, init] of requests) {
      const answer = await fetch(server.url + path, init);
      expect({ path, type: answer.headers.get("content-type") }).toEqual({
        path,
        type: expect.stringContaining("application/json"),
      });
      expect(answer.status).toBeWithin(400, 500);
      expect(await answer.json()).toHaveProperty("error");
    }
  });

  test("the executable makes a data folder that only its owner can enter", async () => {
    const server = await startExecutable();
    expect(((await stat(server.data)).mode & 0o777).toString(8)).toBe("700");
  });

  test("the executable contains no path of the machine that built it", async () => {
    const bytes = Buffer.from(await Bun.file(EXECUTABLE).arrayBuffer());
    const found = ["src", "node_modules", "drizzle", "dist"].filter((part) =>
      bytes.includes(join(ROOT, part)),
    );
    expect(found).toEqual([]);
  });

  test(`the executable is at most ${SIZE_MAX / 1e6} MB`, () => {
    expect(Bun.file(EXECUTABLE).size).toBeLessThanOrEqual(SIZE_MAX);
  });
});
