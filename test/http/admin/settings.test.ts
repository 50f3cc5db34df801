import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { settingsOf } from "../../support/settings.ts";

const auditOf = async (url: string) => {
  const response = await fetch(`${url}/admin/audit`, { headers: { authorization: ADMIN_KEY } });
  return ((await response.json()) as { audit: { action: string; detail: unknown }[] }).audit;
};

test("each setting says whether it can change, its value, its default, its source and when it was changed", async () => {
  const { url } = await startTestServer(["--queue-wait", "90s", "--model-alias", "fast=llama"]);
  const { change, read } = settingsOf(url);
  const before = await read();
  expect(before).toMatchObject({
    port: { from: "first argument", changeable: false },
    modelAliases: {
      ...{ value: "fast=llama", from: "--model-alias", changeable: true },
      ...{ current: { fast: "llama" }, default: { fast: "llama" }, changed_at: null },
    },
    fallbacks: { value: "(none)", current: {}, from: "default" },
  });
  expect(before["port"]).not.toContainKeys(["current", "default", "changed_at"]);
  const since = Date.now();
  const after = await change({ queueWaitMs: 120_000, fallbacks: { a: ["b", "c"] } });
  expect(after).toMatchObject({
    queueWaitMs: { value: "2m", from: "database", current: 120_000, default: 90_000 },
    fallbacks: { value: "a=b,c", from: "database", current: { a: ["b", "c"] }, default: {} },
  });
  expect(Date.parse(after["queueWaitMs"]?.changed_at ?? "")).toBeWithin(since, Date.now() + 1);
  expect(await change({ queueWaitMs: null, fallbacks: null })).toEqual(before);
});

test("changed settings are kept over a restart, and win over the flags", async () => {
  const first = await startTestServer(["--queue-max", "7"]);
  await settingsOf(first.url).change({ queueMax: 9, modelAliases: { a: "b" } });
  await first.stop();
  const { url } = await startTestServer(["--queue-max", "8", "--model-alias", "c=d"], { data: first.data });
  const { read, change } = settingsOf(url);
  expect(await read()).toMatchObject({
    queueMax: { current: 9, default: 8, from: "database" },
    modelAliases: { current: { a: "b" }, default: { c: "d" } },
  });
  expect(await change({ queueMax: null, modelAliases: null })).toMatchObject({
    queueMax: { current: 8, from: "--queue-max" },
    modelAliases: { current: { c: "d" }, from: "--model-alias" },
  });
});

const REFUSED: [string, object, string][] = [
  ["an unknown setting", { queueMax: 5, nothing: 1 }, "while the server runs, unlike nothing."],
  [
    "a setting that only a restart can change",
    { queueMax: 5, port: 1 },
    "while the server runs, unlike port.",
  ],
  ["a number out of bounds", { usageDays: 300, queueMax: 0 }, "`queueMax` is not valid"],
  ["a text for a number", { usageDays: 300, queueMax: "5" }, "`queueMax` is not valid"],
  ["an alias for itself", { queueMax: 5, modelAliases: { a: "b", c: "c" } }, "`modelAliases.c`"],
  ["a fallback to the model itself", { queueMax: 5, fallbacks: { a: ["a"] } }, "`fallbacks.a`"],
  [
    "an alias named __proto__",
    JSON.parse('{"queueMax":5,"modelAliases":{"a":"b","__proto__":"c"}}'),
    "`modelAliases.__proto__` is not valid",
  ],
  ["a fallback named __proto__", JSON.parse('{"fallbacks":{"__proto__":["c"]}}'), "`fallbacks.__proto__`"],
  [
    "a price named __proto__",
    JSON.parse('{"prices":{"currency":"EUR","models":{"__proto__":{"input":1}}}}'),
    "`prices.models.__proto__`",
  ],
  ["a model name with a control character", { fallbacks: { a: ["b\u001b"] } }, "`fallbacks.a[0]`"],
];

test.each(REFUSED)(
  "%s is refused by its name, and nothing is changed or recorded",
  async (_, body, field) => {
    const { url } = await startTestServer();
    const { send, read } = settingsOf(url);
    const before = await read();
    const { status, json } = await send("PATCH", body);
    expect([status, json.error]).toEqual([400, "Invalid request body"]);
    expect(json.hint).toContain(field);
    expect([await read(), await auditOf(url)]).toEqual([before, []]);
  },
);

test("models named constructor, prototype and toString have aliases, fallbacks and prices as others do", async () => {
  const { url } = await startTestServer();
  const { change } = settingsOf(url);
  const modelAliases = { constructor: "prototype", toString: "a" };
  const fallbacks = { constructor: ["toString"], prototype: ["a"] };
  const prices = { currency: "EUR", models: { constructor: { input: 1 }, prototype: { output: 2 } } };
  const after = await change({ modelAliases, fallbacks, prices });
  expect(after["modelAliases"]?.current).toEqual(modelAliases);
  expect(after["fallbacks"]?.current).toEqual(fallbacks);
  expect(after["prices"]?.current).toEqual(prices);
});

test("a body that is too large is refused, and one with a long value names the setting", async () => {
  const { url } = await startTestServer();
  const { send } = settingsOf(url);
  const aliases = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, nth) => [`${nth}`.padStart(250, "x"), "m".repeat(250)]),
    );
  expect((await send("PATCH", { modelAliases: aliases(3_000) })).status).toBe(413);
  const { status, json } = await send("PATCH", { modelAliases: aliases(200) });
  expect([status, json.hint]).toEqual([
    400,
    "`modelAliases` is not valid: must have at most 65536 characters as JSON.",
  ]);
});

test("the audit has the old and the new value of each setting, and nothing for a request that changes none", async () => {
  const { url } = await startTestServer();
  const { change } = settingsOf(url);
  await change({});
  await change({ queueMax: null });
  await change({ queueMax: 9, modelAliases: { a: "b" } });
  await change({ queueMax: 9, modelAliases: null });
  expect(await auditOf(url)).toMatchObject([
    {
      ...{ actor: "admin", action: "settings.change", target: null, address: "127.0.0.1" },
      detail: { modelAliases: { from: { a: "b" }, to: {}, reset: true } },
    },
    { detail: { queueMax: { from: 1000, to: 9 }, modelAliases: { from: {}, to: { a: "b" } } } },
  ]);
});

test("with If-Match nothing is changed if someone else was faster", async () => {
  const { url } = await startTestServer();
  const { send } = settingsOf(url);
  const { etag } = await send("GET");
  const first = await send("PATCH", { queueMax: 9 }, { "if-match": etag });
  expect([first.status, first.etag === etag]).toEqual([200, false]);
  const late = await send("PATCH", { usageDays: 9 }, { "if-match": etag });
  expect([late.status, late.json.error]).toEqual([412, "The settings have been changed meanwhile"]);
  const again = await send("GET");
  expect(again.etag).toBe(first.etag);
  for (const known of [first.etag, `"x", W/${first.etag}`, "*"])
    expect((await send("PATCH", { queueMax: 9 }, { "if-match": known })).status).toBe(200);
  expect((await send("PATCH", { queueMax: 9 }, { "if-match": "x" })).status).toBe(412);
});

test("changes of other settings that arrive at the same time all take effect", async () => {
  const { url } = await startTestServer();
  const { change, read } = settingsOf(url);
  const days = ["usageDays", "auditDays", "conversationDays"];
  await Promise.all(days.map((name, nth) => change({ [name]: nth + 1 })));
  expect(await read()).toMatchObject({
    usageDays: { current: 1 },
    auditDays: { current: 2 },
    conversationDays: { current: 3 },
  });
});

test("the source of the webhook is its first flag that was given, until it is changed", async () => {
  const { url } = await startTestServer(["--alert-severity", "info"]);
  const { read, change } = settingsOf(url);
  expect((await read())["webhook"]).toMatchObject({ from: "--alert-severity" });
  await change({ webhook: { url: null } });
  expect((await read())["webhook"]).toMatchObject({ from: "database" });
  const plain = settingsOf((await startTestServer()).url);
  expect((await plain.read())["webhook"]).toMatchObject({ from: "default" });
});
