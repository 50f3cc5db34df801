import { expect, test } from "bun:test";
import { DAY_MS } from "../../../src/durations.ts";
import { joinAgent } from "../../support/transport.ts";
import { type AlertsBench, createAlertsBench, messagesOf } from "../alerts-bench.ts";

const v2 = { protocol: "v2" as const };
async function healthy(): Promise<AlertsBench> {
  const bench = createAlertsBench();
  joinAgent(bench.relay, "a", v2);
  await bench.look();
  return bench;
}

test("a server without a fault has no problem", async () => {
  const bench = await healthy();
  bench.facts.freeBytes = 50 * 1024 ** 3;
  bench.rest.certificate = {
    ...{ names: "DNS:a", expiresAt: bench.clock.now() + 60 * DAY_MS, renewal: { failure: undefined } },
  };
  expect(await bench.look(200)).toEqual([]);
});

test("a database that is away or fails is a critical problem after ten seconds", async () => {
  const bench = await healthy();
  bench.facts.store = "away";
  await bench.look(9);
  expect(bench.codes()).toEqual([]);
  expect(await bench.look(3)).toMatchObject([{ code: "database_away", severity: "critical" }]);
  expect(messagesOf(bench)[0]).toStartWith("The database does not answer.");
  bench.facts.store = "fails";
  await bench.look();
  expect(messagesOf(bench)).toEqual(["The database cannot be written, so requests are refused."]);
});

test("little space on the disk is a problem, and hardly any a critical one", async () => {
  const bench = await healthy();
  bench.facts.freeBytes = 800 * 1024 ** 2;
  expect(await bench.look()).toMatchObject([{ code: "disk_low", severity: "warning" }]);
  expect(messagesOf(bench)).toEqual(["The disk of the data folder has 800 MB left."]);
  bench.facts.freeBytes = 1.5 * 1024 ** 2;
  expect(await bench.look()).toMatchObject([{ code: "disk_low", severity: "critical" }]);
  expect(messagesOf(bench)).toEqual(["The disk of the data folder has 1.5 MB left."]);
});

test("a certificate is reported when its renewal fails, when it expires soon, and when it has expired", async () => {
  const bench = await healthy();
  const now = bench.clock.now();
  bench.rest.certificate = { names: "", expiresAt: now + 30 * DAY_MS, renewal: { failure: "no answer." } };
  await bench.look();
  expect(messagesOf(bench)).toEqual([
    "The certificate expires in 29 d, and could not be renewed: no answer.",
  ]);
  bench.rest.certificate = { names: "", expiresAt: now + 15 * DAY_MS, renewal: undefined };
  expect(await bench.look()).toEqual([]);
  bench.rest.certificate = { names: "", expiresAt: now + 10 * DAY_MS, renewal: undefined };
  expect(await bench.look()).toMatchObject([{ code: "certificate", severity: "warning" }]);
  bench.rest.certificate = { names: "", expiresAt: now, renewal: undefined };
  expect(await bench.look()).toMatchObject([{ code: "certificate", severity: "critical" }]);
  expect(messagesOf(bench)).toEqual(["The certificate has expired, so clients refuse to connect."]);
});

test("a short admin key, clocks that differ, and a webhook that fails are problems", async () => {
  const bench = await healthy();
  bench.rest.isAdminKeyWeak = true;
  bench.facts.clockAheadMs = -42_000;
  bench.rest.webhookFailure = "connection refused.";
  await bench.look();
  expect(bench.codes().toSorted()).toEqual(["admin_key_weak", "clock_differs", "webhook_failing"]);
  expect(messagesOf(bench)).toContain("The clock of this machine is 42 s behind the database's.");
  expect(messagesOf(bench)).toContain(
    "Messages cannot be delivered to the alert webhook: connection refused.",
  );
});

test("a lost node is reported until it, or another in its place, is in touch", async () => {
  const bench = await healthy();
  bench.monitor.nodeJoined("b", 1);
  bench.monitor.nodeLost("b", 0);
  await bench.look(8);
  expect(bench.codes()).toEqual([]);
  await bench.look(4);
  expect(messagesOf(bench)).toEqual(["The node b is lost."]);
  bench.monitor.nodeJoined("c", 1);
  await bench.look(16);
  expect(bench.codes()).toEqual([]);
  bench.monitor.nodeLost("c", 0);
  bench.facts.isNatsAway = true;
  await bench.look(12);
  // That NATS is away says it all.
  expect(bench.codes()).toEqual(["nats_away"]);
});
