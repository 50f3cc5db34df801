import { expect, test } from "bun:test";
import { AskBody, plainAsk } from "../../src/http/ask/body.ts";
import { ModelAskBody, plainModelAsk } from "../../src/http/models/schema.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

const BODIES = 30_000;
const TEXTS = ["", "a", "Hello", "\ud800", "ä\udc00b", "m".repeat(256), "m".repeat(257)];
const ODD = [null, true, false, 0, 1.5, {}, [], ["a"], { include_usage: true }, { include_usage: 1 }];

/** Returns an object of some of these fields, mostly texts, or now and then a value that is not one. */
function randomBody(random: Random, names: readonly string[]): unknown {
  if (random.below(40) === 0) return random.pick(ODD);
  const fields = names.flatMap((name) => {
    if (random.below(2) === 0) return [];
    return [[name, random.below(4) === 0 ? random.pick(ODD) : random.pick(TEXTS)]];
  });
  const body = Object.fromEntries(fields);
  return random.below(40) === 0 ? Object.assign([], body) : body;
}

const seed = chooseSeed();

for (const { what, plain, schema, names } of [
  {
    what: "an ask",
    plain: plainAsk,
    schema: AskBody,
    names: ["content", "message_id", "conversation_id", "parent_id", "model", "stream", "other"],
  },
  {
    what: "a model request",
    plain: plainModelAsk,
    schema: ModelAskBody,
    names: ["model", "stream", "stream_options", "messages"],
  },
])
  test(`the short check of ${what} reads only what the schema reads alike (SEED=${seed})`, () => {
    const random = createRandom(seed);
    let plainCount = 0;
    for (let left = BODIES; left > 0; left--) {
      const body = randomBody(random, names);
      const read = plain(body);
      if (read === undefined) continue;
      plainCount++;
      expect(schema.safeParse(body), JSON.stringify(body)).toEqual({ success: true, data: read });
    }
    expect(plainCount).toBeGreaterThan(BODIES / 100);
  });
