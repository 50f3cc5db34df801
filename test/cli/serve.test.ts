import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json";
import { runExecutable, startExecutable } from "../support/executable.ts";
import { HANG_MS } from "../support/until.ts";
import { MAIN } from "./terminal.ts";

const ADMIN_KEY = "admin-key-0123456789";

async function start(args: readonly string[] = []) {
  const server = await startExecutable({ path: process.execPath, args: [MAIN, "0", ADMIN_KEY, ...args] });
  server.keepSecret(ADMIN_KEY);
  return server;
}

describe("serving", () => {
  test("the server shows its addresses on standard error, and logs JSON on standard output", async () => {
    const server = await start(["--host", "127.0.0.1"]);
    expect(server.stderr()).toStartWith(`chatgpt-api-server ${manifest.version}\n`);
    expect(server.stderr()).toContain(`Listening  http://127.0.0.1:${server.port}\n`);
    expect(server.stderr()).toContain(`Data       ${server.data}\n`);
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
    server.kill();
    await server.exited;
    const events = server
      .stdout()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).event);
    expect(events).toContain("listening");
    expect(events).toContain("stopping");
    expect(events.at(-1)).toBe("stopped");
  });

  test("output that a log may keep has no secret, and a terminal shows the agent key and the sign-in link", async () => {
    const server = await start();
    expect(server.agentKey).toHaveLength(43);
    expect(server.stderr()).toContain(`127.0.0.1:${server.port}/agents/<agent key>\n`);
    expect(server.stderr()).toContain("/dashboard\n");
    expect(server.stderr() + server.stdout()).not.toContain(server.agentKey);
    const shown = await startExecutable({
      path: process.execPath,
      args: [MAIN, "0", ADMIN_KEY],
      onTerminal: true,
    });
    await shown.output(/Dashboard +http\S+#code=\S{43}\s/);
    expect(shown.stderr()).toContain(`127.0.0.1:${shown.port}/agents/${shown.agentKey}\r\n`);
  });

  test("on a terminal a server without an admin key generates one, shows it once and keeps it", async () => {
    const data = await mkdtemp(join(tmpdir(), "chatgpt-api-server-test-"));
    const first = await startExecutable({
      ...{ path: process.execPath, data },
      args: [MAIN, "--port", "0"],
      onTerminal: true,
    });
    const [, key = ""] = await first.output(/Admin key +(\S{43})\s/);
    const path = join(data, "admin.key");
    expect(first.stderr()).toContain(`It is kept in ${path}, and not shown again.`);
    expect((await readFile(path, "utf8")).trim()).toBe(key);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(first.stderr()).toContain(`-H "Authorization: $(cat ${path})"`);
    const usersOf = (url: string) => fetch(`${url}/admin/users`, { headers: { authorization: key } });
    expect((await usersOf(first.url)).status).toBe(200);
    first.kill();
    await first.exited;

    const second = await startExecutable({ path: process.execPath, data, args: [MAIN, "--port", "0"] });
    second.keepSecret(key);
    expect((await usersOf(second.url)).status).toBe(200);
    await second.stop();
    await rm(data, { recursive: true });
  });

  test("without a terminal no admin key is generated", async () => {
    const data = await mkdtemp(join(tmpdir(), "chatgpt-api-server-test-"));
    const { code, stderr } = await runExecutable([MAIN, "--data", data], { path: process.execPath });
    expect(code).toBe(2);
    expect(stderr).toContain("The admin key is missing.");
    expect(await readdir(data)).toEqual([]);
    await rm(data, { recursive: true });
  });

  test("the server warns of variables that look misspelled", async () => {
    const server = await startExecutable({
      path: process.execPath,
      args: [MAIN, "0", ADMIN_KEY],
      env: { CHATGPT_API_QUEUE_WIAT: "1s" },
    });
    expect(server.stderr()).toContain("Ignored unknown variables: CHATGPT_API_QUEUE_WIAT");
  });

  test("the server logs at the level that was set", async () => {
    const server = await start(["--log-level", "error"]);
    server.kill();
    await server.exited;
    expect(server.stdout()).toBe("");
  });
});

describe("signals", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s stops the server cleanly, with exit code 0",
    async (signal) => {
      const server = await start();
      server.kill(signal);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(JSON.parse(server.stdout().trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
        event: "stopped",
      });
    },
  );

  test("SIGHUP leaves the server running", async () => {
    const server = await start();
    server.kill("SIGHUP");
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("OK");
    server.kill();
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test("a second signal ends the process at once, with exit code 1", async () => {
    const terminal = join(import.meta.dir, "../../src/cli/terminal.ts");
    const script = `
      const { stopSignal } = await import(${JSON.stringify(terminal)});
      setInterval(() => {}, 1000);
      const stopped = stopSignal();
      console.log("ready");
      console.log(await stopped);
    `;
    const child = Bun.spawn([process.execPath, "-e", script], {
      stdout: "pipe",
      timeout: HANG_MS,
      killSignal: "SIGKILL",
    });
    const reader = child.stdout.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe("ready\n");
    child.kill("SIGTERM");
    expect(await next()).toBe("SIGTERM\n");
    child.kill("SIGINT");
    expect(await child.exited).toBe(1);
  });

  test("a signal that comes twice within half a second counts once", async () => {
    const terminal = join(import.meta.dir, "../../src/cli/terminal.ts");
    const script = `
      let now = 0;
      performance.now = () => now;
      const { stopSignal } = await import(${JSON.stringify(terminal)});
      stopSignal();
      process.on("SIGTERM", () => console.log("alive"));
      console.log("ready");
      for await (const line of console) console.log("at " + (now = Number(line)));
    `;
    const child = Bun.spawn([process.execPath, "-e", script], {
      stdin: "pipe",
      stdout: "pipe",
      timeout: HANG_MS,
      killSignal: "SIGKILL",
    });
    const reader = child.stdout.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe("ready\n");
    for (const ms of [0, 499]) {
      child.kill("SIGTERM");
      expect(await next()).toBe("alive\n");
      child.stdin.write(`${ms}\n`);
      expect(await next()).toBe(`at ${ms}\n`);
    }
    child.kill("SIGTERM");
    expect(await next()).toBe("alive\n");
    child.stdin.write("500\n");
    expect(await next()).toBe("at 500\n");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
  });
});

/** Prints the process id of a shell, which the program then takes over, and the exit code of the program. */
const INTO_CLOSED_PIPE = `{ sh -c 'echo "pid $$" >&2; exec "$@"' sh "$@"; echo "code $?" >&2; } | true`;

test("the server goes on when nobody reads its log any more", async () => {
  const data = await mkdtemp(join(tmpdir(), "chatgpt-api-server-test-"));
  const serve = [process.execPath, MAIN, "0", ADMIN_KEY, "--data", data];
  const child = Bun.spawn(["sh", "-c", INTO_CLOSED_PIPE, "sh", ...serve], { stderr: "pipe" });
  let output = "";
  for await (const chunk of child.stderr) {
    output += new TextDecoder().decode(chunk);
    const url = output.match(/Listening +(http:\/\/127\.0\.0\.1:\d+)/)?.[1];
    if (!url || /\ncode /.test(output)) continue;
    expect(await (await fetch(`${url}/health`)).text()).toBe("OK");
    process.kill(Number(output.match(/^pid (\d+)/)?.[1]), "SIGTERM");
  }
  expect(output).toMatch(/\ncode 0\n$/);
  await rm(data, { recursive: true });
});

test("the process reports all faults, with exit code 2", async () => {
  const { code, stdout, stderr } = await runExecutable([MAIN, "http", "--bogus"], { path: process.execPath });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(`chatgpt-api-server: Unknown flag --bogus. Leave it out.
chatgpt-api-server: The first argument is not valid. Give a port from 0 to 65535.
chatgpt-api-server: The admin key is missing. Give it as the second argument, or set ADMIN_KEY or ADMIN_KEY_FILE.
Run chatgpt-api-server help serve to see the usage.
`);
});
