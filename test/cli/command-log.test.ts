import { describe, expect, onTestFinished, test } from "bun:test";
import { createCommandLog } from "../../src/cli/command-log.ts";
import { startExecutable } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";
import { MAIN, recordedTerminal } from "./terminal.ts";

const ADMIN_KEY = "admin-key-0123456789";
const LISTENING = /\d\d:\d\d:\d\d\.\d{3} info {2}listening port=\d+ host=127\.0\.0\.1/;

/** Returns what the program shows on a terminal until the text, without colors, matches. */
async function showOnTerminal(
  args: readonly string[],
  until: RegExp,
  env: Record<string, string> = {},
): Promise<string> {
  const shown = Promise.withResolvers<string>();
  let text = "";
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: tempFolder(),
    env: { PATH: process.env["PATH"], TERM: "xterm", ...env },
    terminal: {
      cols: 400,
      data(_, data) {
        text += Buffer.from(data).toString();
        if (until.test(Bun.stripANSI(text))) shown.resolve(text);
      },
    },
  });
  onTestFinished(async () => {
    child.kill();
    await child.exited;
  });
  return Promise.race([shown.promise, child.exited.then(() => `it ended: ${text}`)]);
}

/** Returns what a server shows on a terminal until it listens. */
function showServer(env: Record<string, string> = {}): Promise<string> {
  return showOnTerminal(["0", ADMIN_KEY, "--host", "127.0.0.1", "--log", "pretty"], LISTENING, env);
}

/** Returns the terminal after the log of a command has written one event that has words. */
function logged(logFormat: "auto" | "json" | "pretty", isTerminal: boolean) {
  const io = { ...recordedTerminal(), isTerminal };
  const log = createCommandLog(io, { logFormat, logLevel: "info" }, ["secret-0123"]);
  log.warn("server_lost", { server: "ws://a" }, "ws://a: \x1b[2Jgone\nfor secret-0123; reconnecting");
  return { io, out: io.stdout(), err: io.stderr() };
}

describe("the log of a command", () => {
  const WORDS = "ws://a: \\u001b[2Jgone\\u000afor ***; reconnecting";

  test.each(["auto", "pretty"] as const)(
    "with --log %s a terminal shows the words of an event, once",
    (format) => {
      const { out, err } = logged(format, true);
      expect(out.slice("12:00:00.000 ".length)).toBe(`warn  ${WORDS}\n`);
      expect(err).toBe("");
    },
  );

  test("with --log json a terminal shows an event once, as JSON", () => {
    const { out, err } = logged("json", true);
    expect(JSON.parse(out)).toMatchObject({ event: "server_lost", server: "ws://a" });
    expect(err).toBe("");
  });

  test.each(["auto", "json"] as const)(
    "with --log %s a pipe gets JSON, and standard error the words",
    (format) => {
      const { out, err } = logged(format, false);
      expect(JSON.parse(out)).toMatchObject({ event: "server_lost", server: "ws://a" });
      expect(err).toBe(`chatgpt-api-server: ${WORDS}\n`);
    },
  );

  test("with --log pretty a pipe gets the words once", () => {
    const { out, err } = logged("pretty", false);
    expect(out).toEndWith(`warn  ${WORDS}\n`);
    expect(err).toBe("");
  });

  test("lines that were dropped are reported in the format of the log", () => {
    const pretty = logged("pretty", false).io;
    pretty.onDropped?.(3);
    expect(pretty.stdout()).toEndWith("warn  output_dropped lines=3\n");
    const json = logged("json", false).io;
    json.onDropped?.(3);
    const last = json.stdout().trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ level: "warn", event: "output_dropped", lines: 3 });
  });
});

describe.skipIf(process.platform === "win32")("the log on a terminal", () => {
  test("a terminal shows the server's log as text without a flag", async () => {
    const text = await showOnTerminal(["0", ADMIN_KEY, "--host", "127.0.0.1"], LISTENING);
    expect(Bun.stripANSI(text)).toMatch(LISTENING);
    expect(text).not.toContain('{"time"');
  });

  test("a terminal shows each event of an agent once", async () => {
    const args = ["agent", "127.0.0.1:9", "--echo"];
    const text = Bun.stripANSI(await showOnTerminal(args, /reconnecting in .*reconnecting in .*\n/s));
    expect(text.match(/cannot be reached/g)?.length).toBe(text.match(/reconnecting in/g)?.length);
    expect(text).not.toContain("server_lost");
  });
});

describe.skipIf(process.platform === "win32")("the pretty log", () => {
  test("the pretty log has colors on a terminal", async () => {
    expect(await showServer()).toContain("\x1b[32minfo");
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])(
    "the pretty log has no colors on a terminal with %p",
    async (env) => {
      const text = await showServer(env);
      expect(text).toMatch(LISTENING);
      expect(text).not.toContain("\x1b[");
    },
  );

  test("the pretty log has no colors in a pipe, and one line for each event", async () => {
    const args = [MAIN, "0", ADMIN_KEY, "--host", "127.0.0.1", "--log", "pretty", "--log-level", "debug"];
    const server = await startExecutable({ path: process.execPath, args, env: { TERM: "xterm" } });
    server.keepSecret(ADMIN_KEY);
    await fetch(`${server.url}/health`);
    server.kill();
    await server.exited;
    const lines = server.stdout().trimEnd().split("\n");
    expect(
      lines.filter((line) => !/^\d\d:\d\d:\d\d\.\d{3} (debug|info {1}|warn {1}|error) \S/.test(line)),
    ).toEqual([]);
    expect(server.stdout()).toMatch(LISTENING);
    expect(server.stdout()).toContain("debug request  GET /health 200 ");
    expect(server.stdout()).not.toContain("\x1b");
  });
});
