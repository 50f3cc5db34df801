import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { Connection } from "../../src/acme/connection.ts";
import { type OrderOptions, orderCertificate } from "../../src/acme/order.ts";
import { AcmeError } from "../../src/acme/problem.ts";
import { createClock } from "../../src/time.ts";
import { Refusal } from "../support/acme/signed-requests.ts";
import { type Behavior, startTestCa } from "../support/acme/test-ca.ts";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/own-postgres.ts";
import { failureOf } from "../support/store.ts";
import { DOMAIN, listenForChecks } from "./scene.ts";

const { privateKey: accountKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** Orders at an authority that behaves like this. */
async function start(behavior: Partial<Behavior> = {}) {
  const challenges = listenForChecks();
  const ca = await startTestCa({ httpPort: challenges.port, ...behavior });
  const order = async (more: Partial<OrderOptions> = {}) => {
    const clock = createClock();
    const signal = more.signal ?? AbortSignal.timeout(20_000);
    const { directory, fetch } = ca;
    const connection = await Connection.open({ directory, fetch, clock, signal, userAgent: "test/1" });
    return orderCertificate({
      ...{ connection, accountKey, challenges, clock, signal, pollEveryMs: 1, domains: [DOMAIN] },
      ...{ email: undefined, externalAccount: undefined, replaces: undefined },
      ...more,
    });
  };
  return { ca, order, challenges };
}

/** Returns the words of a failed order, and the type of the CA's problem. */
async function refusalOf(order: () => Promise<unknown>): Promise<AcmeError> {
  const failure = await failureOf(order);
  expect(failure).toBeInstanceOf(AcmeError);
  expect((failure as AcmeError).message).not.toContain("\n");
  return failure as AcmeError;
}

describe("an order", () => {
  test("an order brings a certificate for all names, signed by the CA, with a key of its own", async () => {
    const { ca, order } = await start();
    const names = [DOMAIN, "second.example.com", "a".repeat(63).concat(".example.com")];
    const { chain, key } = await order({ domains: names, email: "admin@example.com" });
    const certificate = new X509Certificate(chain);
    expect(certificate.subjectAltName?.split(", ").sort()).toEqual(names.map((name) => `DNS:${name}`).sort());
    expect(certificate.verify(new X509Certificate(ca.root).publicKey)).toBe(true);
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(key).toContain("PRIVATE KEY");
    expect([...ca.accounts.values()].map(({ contact }) => contact)).toEqual([["mailto:admin@example.com"]]);
    expect(ca.seen.checks.sort()).toEqual([...names].sort());
  });

  test("a second order uses the same account, and another key for the certificate", async () => {
    const { ca, order } = await start();
    const [first, second] = [await order(), await order()];
    expect(ca.accounts.size).toBe(1);
    expect(first.key).not.toBe(second.key);
  });

  test("an order goes on after refused nonces, server errors, and a CA that takes its time", async () => {
    const { order } = await start({ nonceRefusals: 5, serverErrors: 1, processingReads: 3 });
    expect((await order()).chain).toContain("BEGIN CERTIFICATE");
  });

  test("an order ends with the CA's words when every nonce is refused, or every request fails", async () => {
    const { ca, order } = await start({ nonceRefusals: 1_000 });
    expect((await refusalOf(order)).type).toBe("badNonce");
    const signed = ca.seen.signed;
    expect(signed).toBeLessThanOrEqual(8);
    ca.behavior.nonceRefusals = 0;
    ca.behavior.serverErrors = 1_000;
    expect((await refusalOf(order)).type).toBe("serverInternal");
    expect(ca.seen.signed - signed).toBeLessThanOrEqual(3);
  });

  test("the answers to the checks are gone when an order has ended, also when it has failed", async () => {
    const { ca, order, challenges } = await start();
    const tokens: string[] = [];
    const noting = {
      add(token: string, answer: string) {
        tokens.push(token);
        return challenges.add(token, answer);
      },
    };
    await order({ challenges: noting });
    ca.behavior.checkProblem = { type: "urn:ietf:params:acme:error:dns", detail: "NXDOMAIN" };
    await refusalOf(() => order({ challenges: noting }));
    expect(tokens).toHaveLength(2);
    for (const token of tokens) {
      const url = `http://127.0.0.1:${challenges.port}/.well-known/acme-challenge/${token}`;
      expect((await fetch(url, { redirect: "manual" })).status).toBe(308);
    }
  });

  test("an order that is stopped rejects with the reason of the signal", async () => {
    const { order } = await start({ processingReads: Number.POSITIVE_INFINITY });
    const stopping = new AbortController();
    const failure = failureOf(() => order({ signal: stopping.signal }));
    const reason = new Error("stopped");
    setTimeout(() => stopping.abort(reason), 50);
    expect(await failure).toBe(reason);
  });
});

describe("a refused order says what to do", () => {
  const url = `http://${DOMAIN}/.well-known/acme-challenge/…`;

  test.each([
    [
      "connection",
      "Timeout during connect",
      `The CA could not reach ${url}: Timeout during connect. Open port 80`,
    ],
    ["dns", "NXDOMAIN", `no address for ${DOMAIN}: NXDOMAIN. Point the A or AAAA record`],
    ["unauthorized", "Invalid response 404", `a wrong answer from ${url}: Invalid response 404. Check that`],
    ["caa", "CAA forbids it.", `The CAA record of ${DOMAIN} does not allow this CA: CAA forbids it. Change`],
  ])(
    "a failed check of the type %s tells the operator the address and the cure",
    async (type, detail, words) => {
      const { order } = await start({
        checkProblem: { type: `urn:ietf:params:acme:error:${type}`, detail },
      });
      expect((await refusalOf(order)).message).toContain(words);
    },
  );

  test("the CA's words are shown on one line, bounded, and harmless in a terminal", async () => {
    const { order } = await start({ checkProblem: { type: "x", detail: "\u001b[31m\nx".repeat(500) } });
    const { message } = await refusalOf(order);
    expect(message).toContain("\\u001b[31m x");
    expect(message.length).toBeLessThan(900);
  });

  test("a check that another program answers is reported as a wrong answer", async () => {
    const { ca, order } = await start();
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("another program") });
    ca.behavior.httpPort = other.port ?? 0;
    expect((await refusalOf(order)).message).toContain(`a wrong answer from ${url}`);
    await other.stop(true);
  });

  test("a closed port 80 is reported with the port to open", async () => {
    const { ca, order } = await start();
    ca.behavior.httpPort = await freePort();
    expect((await refusalOf(order)).message).toContain("Open port 80 of this machine");
  });

  test("a rate limit comes with the time that the CA asks for", async () => {
    const orderRefusal = new Refusal("rateLimited", 429, "too many certificates", { "retry-after": "3600" });
    const { ca, order } = await start({ orderRefusal });
    expect(await refusalOf(order)).toMatchObject({ type: "rateLimited", retryAfterMs: 3_600_000 });
    expect(ca.seen.newOrders).toHaveLength(1);
  });

  test("an account that the CA has deactivated is named, with the file to delete", async () => {
    const { order } = await start({ accountStatus: "deactivated" });
    expect((await refusalOf(order)).message).toContain("account.key");
  });

  test("a CA for customers takes an order only with the right external account", async () => {
    const externalAccount = {
      kid: "customer-1",
      key: Buffer.from("a secret of the CA").toString("base64url"),
    };
    const { ca, order } = await start({ externalAccount });
    expect((await refusalOf(order)).message).toContain("--acme-eab-kid");
    const wrong = { keyId: "customer-1", hmacKey: "AAAAAAAAAAAA" };
    expect((await refusalOf(() => order({ externalAccount: wrong }))).type).toBe("unauthorized");
    expect(ca.accounts.size).toBe(0);
    const right = { keyId: "customer-1", hmacKey: externalAccount.key };
    expect((await order({ externalAccount: right })).chain).toContain("BEGIN CERTIFICATE");
  });

  test("a certificate for other names is not taken", async () => {
    const { order } = await start({ names: ["other.example.com"] });
    expect((await refusalOf(order)).message).toContain("another certificate than the one that was ordered");
  });

  test("a certificate that is not valid by the clock of this machine is not taken", async () => {
    const { order } = await start({ now: () => Date.now() - 400 * 86_400_000 });
    expect((await refusalOf(order)).message).toContain("Set its clock");
  });

  test("a CA that is away is not reported like a server that does not speak ACME", async () => {
    const { ca, order } = await start();
    await ca.stop();
    expect((await refusalOf(order)).message).toContain("cannot be reached (connection refused)");
    const { cert, key } = await makeCertificate("localhost");
    const other = Bun.serve({
      port: 0,
      tls: { cert: Bun.file(cert), key: Bun.file(key) },
      fetch: () => Response.json({ newNonce: "http://plain.example/nonce" }),
    });
    const options = { clock: createClock(), signal: AbortSignal.timeout(10_000), userAgent: "test" };
    const call = (path: string, init: RequestInit) =>
      fetch(path, { ...init, tls: { rejectUnauthorized: false } });
    const directory = `https://localhost:${other.port}/`;
    const failure = await refusalOf(() => Connection.open({ ...options, directory, fetch: call }));
    expect(failure.message).toContain("does not answer as an ACME server does");
    await other.stop(true);
  });

  test("a response without end is cut off", async () => {
    const { cert, key } = await makeCertificate("localhost");
    let sent = 0;
    const other = Bun.serve({
      port: 0,
      tls: { cert: Bun.file(cert), key: Bun.file(key) },
      fetch: () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              sent += 65_536;
              controller.enqueue(new Uint8Array(65_536).fill(32));
            },
          }),
        ),
    });
    const call = (path: string, init: RequestInit) =>
      fetch(path, { ...init, tls: { rejectUnauthorized: false } });
    const options = { clock: createClock(), signal: AbortSignal.timeout(10_000), userAgent: "test" };
    const directory = `https://localhost:${other.port}/`;
    await refusalOf(() => Connection.open({ ...options, directory, fetch: call }));
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    await other.stop(true);
  });
});
