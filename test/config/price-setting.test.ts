import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prices } from "../../src/config/price-setting.ts";

const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LIST = { currency: "EUR", models: { "gpt-*": { input: 2.5, output: 10 } } };
const faultOf = (text: string) => prices.schema.safeParse(text).error?.issues[0]?.message;

test("prices are read from a file, or are the JSON itself", () => {
  const path = join(folder, "prices.json");
  writeFileSync(path, JSON.stringify(LIST));
  expect(prices.schema.parse(path)).toEqual(LIST);
  expect(prices.schema.parse(JSON.stringify(LIST))).toEqual(LIST);
  expect(prices.schema.parse(prices.show?.(LIST))).toEqual(LIST);
});

test("a fault of the prices is named with its place", () => {
  expect(faultOf(join(folder, "missing.json"))).toStartWith("Give a file with prices, or the JSON itself. ");
  expect(faultOf("{")).toBe(
    'It is not JSON. Give prices such as {"currency":"EUR","models":{"gpt-*":{"input":2.5,"output":10}}}.',
  );
  expect(faultOf('{"currency":"EUR","models":{"m":{"input":-1}}}')).toBe(
    "models.m.input is not valid: give a number from 0 to 1000000000, with at most six decimal places.",
  );
});

test("a price of a model named __proto__ is refused rather than lost", () => {
  expect(faultOf('{"currency":"EUR","models":{"m":{"input":1},"__proto__":{"input":2}}}')).toBe(
    "models.__proto__ is not valid: give the model another name.",
  );
  const list = { currency: "EUR", models: { constructor: { input: 1 }, prototype: { input: 2 } } };
  expect(prices.schema.parse(JSON.stringify(list))).toEqual(list);
});
