import { afterAll, describe, expect, test } from "bun:test";
import { health } from "../../src/cli/health.ts";
import { CommandError } from "../../src/errors.ts";
import { runExecutable } from "../support/executable.ts";
import { MAIN, recordedTerminal } from "./terminal.ts";

const paths: string[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    paths.push(pathname);
    if (pathname === "/health") return new Response("OK");
    if (pathname === "/moved/health") return Response.redirect("/health");
    if (pathname === "/silent/health") return new Promise<Response>(() => {});
    return new Response("no", { status: 503 });
  },
});
afterAll(() => server.stop(true));
const at = `127.0.0.1:${server.port}`;

async function failureOf(args: readonly string[], env: Record<string, string> = {}, limitMs?: number) {
  const error = await health(args, recordedTerminal(env), limitMs).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
}

describe("a healthy server", () => {
  test.each([at, `${at}/`, `${at}/health`, `http://${at}`, `HTTP://${at}/health`, `http://${at}/health?x=1`])(
    "a healthy server is found at %s",
    async (url) => {
      paths.length = 0;
      const io = recordedTerminal();
      expect(await health([url], io)).toBe(0);
      expect(io.stdout()).toBe("OK\n");
      expect(paths).toEqual(["/health"]);
    },
  );

  test("health finds the server by the settings, on loopback if it listens on every address", async () => {
    const port = String(server.port);
    expect(await health([], recordedTerminal({ PORT: port }))).toBe(0);
    expect(await health(["--port", port, "--host", "0.0.0.0"], recordedTerminal())).toBe(0);
    expect(
      await health([], recordedTerminal({ CHATGPT_API_PORT: port, CHATGPT_API_HOST: "127.0.0.1" })),
    ).toBe(0);
  });

  test("health finds the server by the address that it listens on", async () => {
    const other = Bun.serve({ port: 0, hostname: "::1", fetch: () => new Response("OK") });
    try {
      expect(await health(["--host", "::1", "--port", String(other.port)], recordedTerminal())).toBe(0);
      expect(await health(["--host", "::", "--port", String(other.port)], recordedTerminal())).toBe(0);
    } finally {
      await other.stop(true);
    }
  });
});

describe("an unhealthy server", () => {
  test.each([`${at}/broken`, `${at}/moved`])("health reports the status of %s", async (url) => {
    const { message, exitCode } = await failureOf([url]);
    expect(message).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/[a-z]+\/health responded with status (503|302), not 200\.$/,
    );
    expect(exitCode).toBe(1);
  });

  test("health reports a server that does not respond in time", async () => {
    const { message, exitCode } = await failureOf([`${at}/silent`], {}, 100);
    expect(message).toEndWith("/silent/health does not respond within 0.1 s.");
    expect(exitCode).toBe(1);
  });

  test("health reports a server that refuses connections, without the rest of the URL", async () => {
    const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const { port } = free;
    await free.stop(true);
    const { message, exitCode } = await failureOf([`http://user:pass@127.0.0.1:${port}?key=hidden`]);
    expect(message).toBe(`http://127.0.0.1:${port}/health cannot be reached (connection refused).`);
    expect(exitCode).toBe(1);
  });
});

test.each([[["a", "b"]], [["http://"]], [["--port", "0"]], [["--drain", "1s"]]])(
  "health refuses the arguments %j",
  async (args) => {
    expect((await failureOf(args)).exitCode).toBe(2);
  },
);

test("the process ends with 0 or 1, says why in one line, and uses no proxy", async () => {
  const call = (url: string) =>
    runExecutable([MAIN, "health", url], {
      path: process.execPath,
      env: { HTTP_PROXY: "http://127.0.0.1:1", ALL_PROXY: "http://127.0.0.1:1" },
    });
  expect(await call(at)).toEqual({ code: 0, stdout: "OK\n", stderr: "" });
  const { code, stderr } = await call(`${at}/broken`);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^chatgpt-api-server: http:\S+ responded with status 503, not 200\.\n$/);
});
