import { describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { makeCertificate } from "../support/certificate.ts";
import { EXECUTABLE, type Executable, runExecutable, startExecutable } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const ADMIN_KEY = `admin-${crypto.randomUUID()}`;

async function withCertificate(name: string) {
  const folder = tempFolder();
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const put = (next: { cert: string; key: string }) => {
    copyFileSync(next.cert, files.cert);
    copyFileSync(next.key, files.key);
  };
  const certificate = await makeCertificate(name);
  put(certificate);
  const flags = ["--tls-cert", files.cert, "--tls-key", files.key];
  return { flags, put, ca: certificate.ca };
}

function ask({ url }: Executable, ca: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ model: "echo", messages: [{ role: "user", content: "hello" }] }),
    tls: { ca: Bun.file(ca) },
  });
}

/** Resolves with undefined if the connection was cut, as can happen while the certificate changes. */
function shownName(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(undefined) : reject(error),
    );
  });
}

describe("TLS", () => {
  test("the server's own agent, the health command and callers connect by TLS", async () => {
    const { flags, ca } = await withCertificate("chat.example.com");
    const server = await startExecutable({ args: ["0", ADMIN_KEY, "--echo", ...flags] });
    expect(server.url).toStartWith("https://");
    expect(server.stderr()).toContain("wss://");
    await server.output(/"agent_joined"/);
    const answer = await ask(server, ca);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("hello")]);
    const health = await runExecutable([
      "health",
      "--port",
      String(server.port),
      "--tls-cert",
      flags[1] ?? "",
    ]);
    expect(health).toMatchObject({ code: 0, stdout: "OK\n" });
  });

  test("a separate agent connects by wss only if it trusts the certificate's authority", async () => {
    const { flags, ca } = await withCertificate("chat.example.com");
    const server = await startExecutable({ args: ["0", ADMIN_KEY, ...flags] });
    const start = (env: Record<string, string>) => {
      const child = Bun.spawn([EXECUTABLE, "agent", `https://localhost:${server.port}`, "--echo"], {
        cwd: tempFolder(),
        env: { PATH: process.env["PATH"], AGENT_KEY: server.agentKey, ...env },
        stdout: "ignore",
        stderr: "pipe",
      });
      return { child, ended: child.exited };
    };
    const stranger = start({});
    const reader = stranger.child.stderr.getReader();
    let told = "";
    while (!told.includes("NODE_EXTRA_CA_CERTS"))
      told += new TextDecoder().decode((await reader.read()).value);
    stranger.child.kill();
    await stranger.ended;
    expect(server.stdout()).not.toContain("agent_joined");
    const agent = start({ NODE_EXTRA_CA_CERTS: ca });
    await server.output(/"agent_joined"/);
    const answer = await ask(server, ca);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("hello")]);
    agent.child.kill();
    await agent.ended;
  });

  test("SIGHUP loads a new certificate, and agents stay connected", async () => {
    const { flags, put } = await withCertificate("one.example");
    const server = await startExecutable({ args: ["0", ADMIN_KEY, "--echo", ...flags] });
    await server.output(/"agent_joined"/);
    const next = await makeCertificate("two.example");
    put(next);
    server.kill("SIGHUP");
    await until(async () => (await shownName(server.port)) === "two.example");
    const answer = await ask(server, next.ca);
    expect(answer.status).toBe(200);
    expect(server.stdout()).not.toContain("agent_left");
    server.kill();
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test("an unusable certificate ends the start with one line and code 1, and a missing key with code 2", async () => {
    const { flags } = await withCertificate("one.example");
    const missing = await runExecutable(["0", "key", ...flags.slice(0, 3), "/nowhere/key.pem"]);
    expect([missing.code, missing.stderr.trimEnd().split("\n")]).toEqual([
      1,
      ["chatgpt-api-server: Cannot read the key file /nowhere/key.pem: It does not exist. Check the path."],
    ]);
    const { code, stderr } = await runExecutable(["0", "key", ...flags.slice(0, 2)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("belong together")]);
  });
});
