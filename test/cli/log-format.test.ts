import { describe, expect, onTestFinished, test } from "bun:test";
import { startExecutable } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";
import { MAIN } from "./terminal.ts";

const ADMIN_KEY = "admin-key-0123456789";
const LISTENING = /\d\d:\d\d:\d\d\.\d{3} info {2}listening port=\d+ host=127\.0\.0\.1/;

/** Returns what a server shows on a terminal until it listens. */
async function showOnTerminal(env: Record<string, string> = {}): Promise<string> {
  const shown = Promise.withResolvers<string>();
  let text = "";
  const child = Bun.spawn(
    [process.execPath, MAIN, "0", ADMIN_KEY, "--host", "127.0.0.1", "--log", "pretty"],
    {
      cwd: tempFolder(),
      env: { PATH: process.env["PATH"], TERM: "xterm", ...env },
      terminal: {
        cols: 200,
        data(_, data) {
          text += Buffer.from(data).toString();
          if (LISTENING.test(Bun.stripANSI(text))) shown.resolve(text);
        },
      },
    },
  );
  onTestFinished(async () => {
    child.kill();
    await child.exited;
  });
  return Promise.race([shown.promise, child.exited.then(() => `it ended: ${text}`)]);
}

describe.skipIf(process.platform === "win32")("the pretty log", () => {
  test("the pretty log has colors on a terminal", async () => {
    expect(await showOnTerminal()).toContain("\x1b[32minfo");
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])(
    "the pretty log has no colors on a terminal with %p",
    async (env) => {
      const text = await showOnTerminal(env);
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
