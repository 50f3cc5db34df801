import { describe, expect, test } from "bun:test";
import { request } from "node:https";
import { connect } from "node:tls";
import { DAY_MS } from "../../src/durations.ts";
import { startPebble } from "../support/acme/pebble.ts";
import { Refusal } from "../support/acme/signed-requests.ts";
import { startTestCa } from "../support/acme/test-ca.ts";
import { EXECUTABLE, runExecutable, startExecutable } from "../support/executable.ts";
import { freePort } from "../support/own-postgres.ts";
import { describeWith } from "../support/programs.ts";
import { newDataFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const DOMAIN = "chat.example.com";
const ADMIN_KEY = `admin-${crypto.randomUUID()}`;

interface Ca {
  directory: string;
  trusted: string;
}

/** Returns the arguments and the environment of a server that gets its certificate from this CA. */
async function settingsFor({ directory, trusted }: Ca, httpPort: number, more: readonly string[] = []) {
  const own = ["--domain", DOMAIN, "--acme-directory", directory, "--acme-http-port", String(httpPort)];
  const args = [String(await freePort()), ADMIN_KEY, "--echo", ...own, ...more];
  return { args, env: { NODE_EXTRA_CA_CERTS: trusted } };
}

/** Calls the server by its domain, as a client that trusts only this root. Resolves with the body. */
function call(
  port: number,
  root: string,
  path: string,
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const target = { host: "127.0.0.1", port, path, servername: DOMAIN, ca: root, agent: false };
    const headers = { host: DOMAIN, authorization: `Bearer ${ADMIN_KEY}` };
    const sent = request({ ...target, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Returns the serial number of the certificate that a new connection gets; undefined if it was cut. */
function serialOf(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { port, host: "127.0.0.1", servername: DOMAIN, rejectUnauthorized: false };
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", () => resolve(undefined));
  });
}

describe("automatic certificates", () => {
  test("the first start gets a certificate, and a restart uses it without asking the CA", async () => {
    const httpPort = await freePort();
    const ca = await startTestCa({ httpPort });
    const data = newDataFolder();
    const settings = await settingsFor(ca, httpPort);
    for (let start = 0; start < 3; start++) {
      const server = await startExecutable({ ...settings, data });
      expect(await call(server.port, ca.root, "/ready")).toEqual({ status: 200, text: '{"status":"ready"}' });
      const shown = JSON.parse((await call(server.port, ca.root, "/admin/settings")).text);
      expect(shown.certificate).toMatchObject({ names: `DNS:${DOMAIN}`, failure: null });
      expect((await call(server.port, ca.root, "/metrics")).text).toMatch(
        /^chatgpt_api_certificate_expiry_timestamp_seconds \d{10}/m,
      );
      const redirect = await fetch(`http://127.0.0.1:${httpPort}/dashboard`, { redirect: "manual" });
      expect(redirect.headers.get("location")).toBe(`https://${DOMAIN}:${server.port}/dashboard`);
      server.kill();
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(server.stdout()).toContain('"timers":0');
    }
    expect(ca.seen.newOrders).toHaveLength(1);
  });

  test("a renewal gives new connections the new certificate, while a stream and its agent go on", async () => {
    const httpPort = await freePort();
    const released = Promise.withResolvers<void>();
    // The first certificate is so old that it is renewed at once.
    const ca = await startTestCa({ httpPort, lifeMs: 10 * DAY_MS, now: () => Date.now() - 8 * DAY_MS });
    ca.behavior.beforeOrder = (count) => (count > 1 ? released.promise : undefined);
    const server = await startExecutable(await settingsFor(ca, httpPort));
    const before = await serialOf(server.port);
    expect(before).toBeString();
    const agent = await connectV2Agent(server.url, { acceptsAny: true });
    const asked = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hello" }] }),
      tls: { rejectUnauthorized: false },
      signal: AbortSignal.timeout(60_000),
    });
    const { ask } = await agent.next("ask");
    const say = (content: string) =>
      agent.say({ type: "delta", ask, data: JSON.stringify({ choices: [{ delta: { content } }] }) });
    say("before");
    const response = await asked;
    await until(() => ca.seen.newOrders.length === 2);
    ca.behavior.now = Date.now;
    released.resolve();
    await until(async () => ![before, undefined].includes(await serialOf(server.port)));
    say(" and after");
    agent.say({ type: "done", ask, status: 200 });
    const text = await response.text();
    expect(text).toContain('"content":"before"');
    expect(text).toContain('"content":" and after"');
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(server.stdout()).not.toContain("agent_left");
    expect(server.stdout().match(/"certificate_loaded"/g)).toHaveLength(2);
  });

  test("a failing CA leaves the old certificate in use, and the log, /ready and the settings say so", async () => {
    const httpPort = await freePort();
    const ca = await startTestCa({ httpPort, lifeMs: 10 * DAY_MS, now: () => Date.now() - 8 * DAY_MS });
    ca.behavior.beforeOrder = (count) => {
      if (count > 1) throw new Refusal("rateLimited", 429, "too many", { "retry-after": "86400" });
    };
    const server = await startExecutable(await settingsFor(ca, httpPort));
    await server.output(/"certificate_order_failed".*too many/);
    await server.output(/could not be renewed, and the old one stays in use/);
    expect(JSON.parse((await call(server.port, ca.root, "/ready")).text)).toEqual({
      status: "ready",
      degraded: ["certificate"],
    });
    const shown = JSON.parse((await call(server.port, ca.root, "/admin/settings")).text);
    expect(shown.certificate.failure).toContain("Its rate limit is reached");
    expect((await call(server.port, ca.root, "/metrics")).text).toContain(
      "chatgpt_api_certificate_renewal_failing 1",
    );
  });

  test("a first order that fails ends the start with code 1 and the reason", async () => {
    const httpPort = await freePort();
    const ca = await startTestCa({ httpPort: await freePort() });
    const { args, env } = await settingsFor(ca, httpPort);
    const { code, stderr } = await runExecutable(args, { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `chatgpt-api-server: There is no certificate for ${DOMAIN}. The CA could not reach`,
    );
    expect(stderr).toContain("Open port 80");
  });

  test("SIGTERM ends a start that waits for its first certificate", async () => {
    const httpPort = await freePort();
    const never = new Promise(() => {});
    const ca = await startTestCa({ httpPort, beforeOrder: () => never });
    const { args, env } = await settingsFor(ca, httpPort);
    const child = Bun.spawn([EXECUTABLE, ...args, "--data", newDataFolder()], {
      env: { PATH: process.env["PATH"], ...env },
      stdout: "ignore",
      stderr: "pipe",
    });
    await until(() => ca.seen.newOrders.length === 1);
    child.kill("SIGTERM");
    expect(await child.stderr.text()).toContain("The server was stopped.");
    expect(await child.exited).toBe(1);
  });

  test("a port for the checks that another program uses ends the start before anything is ordered", async () => {
    const ca = await startTestCa({ httpPort: 0 });
    const other = Bun.serve({ port: 0, fetch: () => new Response() });
    const { args, env } = await settingsFor(ca, other.port ?? 0);
    const { code, stderr } = await runExecutable(args, { env });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`port ${other.port}: The port is in use.`)]);
    expect(ca.seen.newOrders).toEqual([]);
    await other.stop(true);
  });

  test("the health command finds a server with --domain by its settings in the environment", async () => {
    const httpPort = await freePort();
    const ca = await startTestCa({ httpPort });
    const server = await startExecutable(await settingsFor(ca, httpPort));
    const env = { CHATGPT_API_DOMAIN: DOMAIN, PORT: String(server.port) };
    expect(await runExecutable(["health"], { env })).toMatchObject({ code: 0, stdout: "OK\n" });
  });
});

describeWith("pebble", "automatic certificates from Pebble", (pebble) => {
  test("a server gets a certificate for two names from Pebble, which refuses a fifth of the nonces", async () => {
    const httpPort = await freePort();
    const ca = await startPebble(pebble, { httpPort });
    const server = await startExecutable(await settingsFor(ca, httpPort, ["--domain", "second.example.com"]));
    expect((await call(server.port, ca.root, "/ready")).status).toBe(200);
    const shown = JSON.parse((await call(server.port, ca.root, "/admin/settings")).text);
    expect(shown.certificate.names).toBe(`DNS:${DOMAIN}, DNS:second.example.com`);
  });

  test("a server gets a certificate from Pebble with the right external account, and not without one", async () => {
    const httpPort = await freePort();
    const key = Buffer.from("a key that the CA gave to its customer").toString("base64url");
    const ca = await startPebble(pebble, { httpPort, externalAccount: { kid: "customer-1", key } });
    const { args, env } = await settingsFor(ca, httpPort);
    const refused = await runExecutable(args, { env });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--acme-eab-kid")]);
    const eab = { CHATGPT_API_ACME_EAB_KID: "customer-1", CHATGPT_API_ACME_EAB_KEY: key };
    const server = await startExecutable({ args, env: { ...env, ...eab } });
    server.keepSecret(key);
    expect((await call(server.port, ca.root, "/ready")).status).toBe(200);
  });
});
