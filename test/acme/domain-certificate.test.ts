import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/durations.ts";
import { CommandError } from "../../src/errors.ts";
import { Refusal } from "../support/acme/signed-requests.ts";
import { failureOf } from "../support/store.ts";
import { until } from "../support/until.ts";
import { type CertificateScene, certificateScene, DOMAIN } from "./scene.ts";

const serialIn = (path: string) => new X509Certificate(readFileSync(path, "utf8")).serialNumber;
const orders = ({ ca }: CertificateScene) => ca.seen.newOrders.length;
const CONNECTION = { type: "urn:ietf:params:acme:error:connection", detail: "Timeout" };

describe("the first certificate", () => {
  test("the first start orders a certificate, and only the owner can read the files", async () => {
    const scene = await certificateScene();
    const { path } = await scene.open();
    expect(new X509Certificate(readFileSync(path, "utf8")).subjectAltName).toBe(`DNS:${DOMAIN}`);
    expect(statSync(scene.folder).mode & 0o777).toBe(0o700);
    const folder = join(path, "..");
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual(["account.key", "certificate.pem", "state.json"]);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test("a later start uses the kept certificate, and asks the CA for none", async () => {
    const scene = await certificateScene();
    const { path } = await scene.open();
    const serial = serialIn(path);
    for (let start = 0; start < 5; start++) {
      const certificate = await scene.open();
      scene.start(certificate);
      await scene.pass(HOUR_MS);
      expect(serialIn(certificate.path)).toBe(serial);
    }
    expect(orders(scene)).toBe(1);
  });

  test("a failed first order ends the start with one line that says why", async () => {
    const scene = await certificateScene({ checkProblem: CONNECTION });
    const failure = await failureOf(scene.open);
    expect(failure).toBeInstanceOf(CommandError);
    const { message } = failure as CommandError;
    expect(message).toContain(`There is no certificate for ${DOMAIN}. The CA could not reach`);
    expect(message).not.toContain("\n");
  });

  test("starts in a loop make four orders an hour, and then say when the next one is allowed", async () => {
    const scene = await certificateScene({ checkProblem: CONNECTION });
    for (let start = 0; start < 12; start++) {
      const { message } = (await failureOf(scene.open)) as CommandError;
      if (start >= 4)
        expect(message).toMatch(/none is ordered before \d{4}-.*The last order failed: .*Timeout/);
      scene.clock.advance(MINUTE_MS);
    }
    expect(orders(scene)).toBe(4);
    scene.clock.advance(HOUR_MS);
    scene.ca.behavior.checkProblem = undefined;
    await scene.open();
    expect(orders(scene)).toBe(5);
  });

  test("a start that cannot note its order makes none", async () => {
    const scene = await certificateScene({ checkProblem: CONNECTION });
    await failureOf(scene.open);
    const [name = ""] = readdirSync(scene.folder);
    const state = join(scene.folder, name, "state.json.new");
    // A folder in the file's place cannot be replaced, by root neither.
    await Bun.write(join(state, "x"), "");
    expect(((await failureOf(scene.open)) as Error).message).toContain("Cannot write");
    expect(orders(scene)).toBe(1);
  });

  test("a CA that is away does not use up the orders of an hour", async () => {
    const scene = await certificateScene();
    await scene.ca.stop();
    for (let start = 0; start < 8; start++)
      expect(((await failureOf(scene.open)) as Error).message).toContain("cannot be reached");
  });

  test("a rate limit of the CA outlives the process", async () => {
    const orderRefusal = new Refusal("rateLimited", 429, "too many", { "retry-after": String(2 * 86_400) });
    const scene = await certificateScene({ orderRefusal });
    await failureOf(scene.open);
    scene.ca.behavior.orderRefusal = undefined;
    scene.clock.advance(2 * DAY_MS - HOUR_MS);
    expect(((await failureOf(scene.open)) as Error).message).toContain("none is ordered before");
    expect(orders(scene)).toBe(1);
    scene.clock.advance(6 * HOUR_MS);
    await scene.open();
  });

  test("two CAs have folders of their own, so that a change of the CA orders anew", async () => {
    const [scene, other] = [await certificateScene(), await certificateScene()];
    await scene.open();
    other.ca.behavior.httpPort = scene.ca.behavior.httpPort;
    await scene.open({ directory: other.ca.directory, fetch: other.ca.fetch, domains: [] }).catch(() => {});
    expect(readdirSync(scene.folder)).toHaveLength(2);
  });

  test("a damaged certificate file counts as none, and a damaged account key is refused by its path", async () => {
    const scene = await certificateScene();
    const { path } = await scene.open();
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 200));
    chmodSync(path, 0o644);
    await scene.open();
    expect([orders(scene), statSync(path).mode & 0o777]).toEqual([2, 0o600]);
    writeFileSync(join(path, "../account.key"), "nonsense");
    writeFileSync(path, "nonsense");
    expect(((await failureOf(scene.open)) as Error).message).toContain(
      "account.key does not contain a P-256 key",
    );
  });
});

describe("the renewal", () => {
  test("the certificate is renewed when a third of its life is left, and the server learns of it", async () => {
    const scene = await certificateScene({ lifeMs: 90 * DAY_MS });
    const certificate = await scene.open();
    const before = serialIn(certificate.path);
    scene.start(certificate);
    // A tenth of the life is over at the start.
    await scene.pass(47 * DAY_MS, 200);
    expect([orders(scene), scene.replaced()]).toEqual([1, 0]);
    await scene.passUntil(HOUR_MS, () => scene.replaced() === 1);
    expect(serialIn(certificate.path)).not.toBe(before);
    expect(new X509Certificate(readFileSync(certificate.path)).validToDate.getTime()).toBeGreaterThan(
      scene.clock.now() + 80 * DAY_MS,
    );
    await scene.pass(2 * DAY_MS);
    expect(orders(scene)).toBe(2);
  });

  test("a failed renewal keeps the old certificate, says so, and is tried again ever less often", async () => {
    const scene = await certificateScene({ lifeMs: 90 * DAY_MS });
    const certificate = await scene.open();
    const before = serialIn(certificate.path);
    scene.start(certificate);
    scene.ca.behavior.checkProblem = CONNECTION;
    await scene.pass(60 * DAY_MS, 300);
    const failed = orders(scene) - 1;
    expect(failed).toBeGreaterThan(3);
    expect(failed).toBeLessThan(25);
    expect([serialIn(certificate.path), scene.replaced()]).toEqual([before, 0]);
    expect(certificate.state().failure).toContain("Open port 80");
    const line =
      scene
        .logged()
        .split("\n")
        .find((each) => each.includes("certificate_order_failed")) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      level: "error",
      names: DOMAIN,
      cause: expect.stringContaining("Open port 80"),
      next_try: expect.stringContaining("T"),
    });
    scene.ca.behavior.checkProblem = undefined;
    await scene.passUntil(HOUR_MS, () => scene.replaced() === 1);
    expect(certificate.state().failure).toBeUndefined();
  });

  test("an expired certificate does not keep the server from starting, and is replaced at once", async () => {
    const scene = await certificateScene({ lifeMs: 10 * DAY_MS });
    await scene.open();
    scene.clock.advance(20 * DAY_MS);
    const certificate = await scene.open();
    expect(orders(scene)).toBe(1);
    scene.start(certificate);
    await scene.passUntil(0, () => scene.replaced() === 1);
  });

  test("a domain that is added is served with the old certificate until the new one comes", async () => {
    const scene = await certificateScene();
    await scene.open();
    const certificate = await scene.open({ domains: [DOMAIN, "second.example.com"] });
    expect(orders(scene)).toBe(1);
    scene.start(certificate);
    await scene.passUntil(0, () => scene.replaced() === 1);
    const { subjectAltName } = new X509Certificate(readFileSync(certificate.path));
    expect(subjectAltName).toContain("DNS:second.example.com");
  });

  test("the CA's own time for the renewal wins, and the order names the certificate that it replaces", async () => {
    const start = new Date(Date.now() + 5 * DAY_MS);
    const window = { start, end: new Date(start.getTime() + 2 * DAY_MS) };
    const scene = await certificateScene({ lifeMs: 90 * DAY_MS, window });
    const certificate = await scene.open();
    scene.start(certificate);
    await scene.passUntil(0, () => certificate.state().renewAt !== undefined);
    // The part of the window is 0.5 here.
    expect(certificate.state().renewAt).toBe(start.getTime() + DAY_MS);
    // The CA revokes the certificate, and wants it replaced now.
    scene.ca.behavior.window = { start: new Date(0), end: new Date(1) };
    await scene.passUntil(HOUR_MS, () => scene.replaced() === 1);
    expect(scene.clock.now()).toBeLessThan(start.getTime());
    expect(scene.ca.seen.newOrders.map(({ replaces }) => typeof replaces)).toEqual(["undefined", "string"]);
    // A window that is always over does not order one certificate after the other.
    await scene.pass(DAY_MS / 2, 50);
    expect(orders(scene)).toBe(2);
  });

  /** Starts an order for a further name, which the CA never completes. */
  async function endlessOrder() {
    const scene = await certificateScene();
    await scene.open();
    scene.ca.behavior.processingReads = Number.POSITIVE_INFINITY;
    const certificate = await scene.open({ domains: [DOMAIN, "second.example.com"], pollEveryMs: 1_000 });
    scene.start(certificate);
    return { scene, certificate };
  }

  test("a stopped renewal leaves no timer and ends a running order", async () => {
    const { scene, certificate } = await endlessOrder();
    await until(() => {
      scene.clock.advance(0);
      return orders(scene) === 2;
    });
    await certificate.stop();
    expect(scene.clock.pending()).toBe(0);
    expect(scene.logged()).not.toContain("certificate_order_failed");
  });

  test("an order that the CA does not complete is given up", async () => {
    const { scene, certificate } = await endlessOrder();
    await until(() => {
      scene.clock.advance(1_000);
      return certificate.state().failure !== undefined;
    });
    expect(certificate.state().failure).toBe("The CA did not complete the order within 3 minutes.");
  });
});
