import { expect, test } from "bun:test";
import { MemberScanner } from "../../../src/protocol/bytes/member-scanner.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";

const WANTED = { values: new Set(["usage", "duration"]), list: "data" };

function scan(text: string | Uint8Array, cutAt: (left: number) => number = (left) => left): MemberScanner {
  const scanner = new MemberScanner(WANTED);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; ) {
    const length = Math.max(cutAt(bytes.byteLength - at), 1);
    scanner.push(bytes.subarray(at, at + length));
    at += length;
  }
  return scanner;
}

const found = ({ values, elements }: MemberScanner) => ({
  usage: JSON.parse(values.get("usage") ?? "null"),
  duration: JSON.parse(values.get("duration") ?? "null"),
  elements,
});

test.each([
  [
    '{"usage": {"a": [1, "x}"]}, "duration": "8.5"}',
    { usage: { a: [1, "x}"] }, duration: "8.5", elements: 0 },
  ],
  ['{"data":[{"a":"]"},{"b":[1,2]}, 3 ],"duration":1}', { usage: null, duration: 1, elements: 3 }],
  ['{"data":[]}', { usage: null, duration: null, elements: 0 }],
  ['{"data":{"data":[1,2]},"x":{"usage":1}}', { usage: null, duration: null, elements: 0 }],
  ['{"x":[1,2],"data":[[1,2],[3]]}', { usage: null, duration: null, elements: 2 }],
  ['{"a\\"usage":1,"b":"\\\\","usage":2}', { usage: 2, duration: null, elements: 0 }],
  ['{"text":"\\"usage\\":5,\\\\\\"","duration":3}', { usage: null, duration: 3, elements: 0 }],
  ['[{"usage":1}]', { usage: null, duration: null, elements: 0 }],
  ["", { usage: null, duration: null, elements: 0 }],
] as const)("the members of %p are found, however it is cut", (text, expected) => {
  for (const length of [1, 2, 3, 1_000]) expect(found(scan(text, () => length))).toEqual(expected as never);
});

test("a value that is too long is not kept, and does not hide what follows", () => {
  const long = "x".repeat(5_000);
  for (const usage of [long, { long }, Array.from({ length: 3_000 }, () => 1)])
    expect(found(scan(JSON.stringify({ usage, duration: 4 }), () => 700))).toMatchObject({
      ...{ usage: null, duration: 4 },
    });
  expect(found(scan(`{"${long}":1,"duration":4}`))).toMatchObject({ duration: 4 });
});

function randomValue(random: Random, depth: number): unknown {
  const text = () =>
    random.pick(['"', "\\", "\\\\", "a", "{", "}", "[", "]", ",", ":", "é", "\n"]).repeat(random.below(4)) +
    random.pick(["", '"', "x".repeat(random.below(50))]);
  const list = () => Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  const names = ["usage", "duration", "data", "type", "", '"', "a\\"];
  const object = () => Object.fromEntries(list().map((value) => [random.pick(names), value]));
  return random.pick([text, () => random.below(100) / 4, () => null, ...(depth > 0 ? [list, object] : [])])();
}

const seed = chooseSeed();

test(`random JSON has the members that a parser finds, in random cuts (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 3_000; round++) {
    const entries = ["x", "usage", "duration", "data"].flatMap((name) =>
      random.below(3) > 0 ? [[name, randomValue(random, 3)] as const] : [],
    );
    const value: Record<string, unknown> = Object.fromEntries(entries);
    const text = JSON.stringify(value, null, random.below(3));
    const scanned = found(scan(text, () => 1 + random.below(20)));
    const latin = (part: unknown) => JSON.parse(Buffer.from(JSON.stringify(part ?? null)).toString("latin1"));
    expect(scanned, text).toEqual({
      usage: latin(value["usage"]),
      duration: latin(value["duration"]),
      elements: Array.isArray(value["data"]) ? value["data"].length : 0,
    });
  }
});

test(`bytes that are not JSON do no harm (seed ${seed})`, () => {
  const random = createRandom(seed + 1);
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: 300 }, () =>
      random.below(2) === 0 ? random.below(256) : '{}[]",:\\usage'.charCodeAt(random.below(13)),
    );
    const scanner = scan(bytes, () => 1 + random.below(40));
    expect(scanner.elements).toBeLessThan(300);
    for (const text of scanner.values.values()) expect(text.length).toBeLessThanOrEqual(4_096);
  }
});
