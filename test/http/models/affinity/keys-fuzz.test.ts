import { expect, test } from "bun:test";
import { affinitySeed } from "../../../../src/auth/secret.ts";
import { affinityKeys, BOUNDARIES_MAX } from "../../../../src/http/models/affinity/keys.ts";
import { entriesOf } from "../../../../src/json/edit.ts";
import { ENDPOINTS } from "../../../../src/protocol/agent-v2.ts";
import { chooseSeed, createRandom, type Random } from "../../../support/random.ts";

const seed = chooseSeed();
const NAMES = [
  ...["messages", "input", "prompt", "system", "instructions", "tools", "metadata", "user_id", "session_id"],
  ...["role", "content", "type", "text", "id", "conversation", "prompt_cache_key", "previous_response_id"],
  ...["cache_control", "__proto__", "constructor", "length", ""],
];
const TEXTS = [
  "user",
  "assistant",
  "system",
  "text",
  "message",
  "thinking",
  "{",
  '{"session_id":1}',
  "\ud800",
  "",
];

function oddValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 4 ? 6 : 10);
  if (kind < 3) return random.pick(TEXTS);
  if (kind < 6) return random.pick([null, true, 0, -1.5, 1e308, "x".repeat(random.below(10_000))]);
  const values = Array.from({ length: random.below(5) }, () => oddValue(random, depth + 1));
  if (kind === 6) return values;
  return Object.fromEntries(values.map((value) => [random.pick(NAMES), value]));
}

const chainStart = affinitySeed(undefined);

test(`a body of any shape has a bounded number of short keys, always the same ones (SEED=${seed})`, () => {
  const random = createRandom(seed);
  let count = 0;
  for (let run = 0; run < 500; run++) {
    const body = Object.fromEntries(NAMES.slice(0, 8).map((name) => [name, oddValue(random)]));
    const text = JSON.stringify(random.below(10) ? body : oddValue(random));
    const entries = text.startsWith("{") ? entriesOf(text) : [];
    const json: unknown = JSON.parse(text);
    const headers = new Headers({ [random.pick(["session_id", "accept"])]: "s" });
    const endpoint = random.pick(ENDPOINTS);
    const keys = () => affinityKeys(endpoint, { text, json, entries, headers, chainStart });
    const made = keys();
    expect(keys()).toEqual(made);
    if (!made) continue;
    count++;
    expect(made.known.length).toBeWithin(0, BOUNDARIES_MAX + 2);
    expect(made.kept.length).toBeLessThan(4);
    for (const key of [...made.known, ...made.kept]) expect(key.length).toBeWithin(1, 30);
  }
  expect(count).toBeGreaterThan(50);
});

test("a value nested more deeply than any message has keys, too", () => {
  const text = `{"messages":[${"[".repeat(5000)}${"]".repeat(5000)}]}`;
  const request = {
    text,
    json: JSON.parse(text),
    entries: entriesOf(text),
    headers: new Headers(),
    chainStart,
  };
  expect(affinityKeys("chat/completions", request)?.kept).toHaveLength(1);
});
