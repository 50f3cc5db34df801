import { expect, test } from "bun:test";
import { createLog, type LogFields } from "../../src/log/log.ts";
import { printable } from "../../src/printable.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

const LINES = 20_000;
const EVENTS = ["request", "ask", "agent_joined", 'odd"\u2028'];
const NAMES = ["request_id", "route", "status", "ms", "user", "model", "error", "n\u202e", '"'];
const WORDS = [
  ...["req_0198f0c0-7c1b-7000-8000-000000000000", "/v1/chat/completions", "gpt-oss:20b", "POST", ""],
  ...["ä", "日本", "😀", "\ud800", "\x00", "\x1b[2J", "\x7f", "\x9b", "\u2028", "\u202e", "\u200b", "\n"],
  ...['"', "\\", "\\u0041", " ", "=", "***", "\ufeff", "null"],
];
const SECRETS = [
  ...[
    "an-admin-key-0123456789",
    "Ab9_-xyzQRS",
    "12345678",
    'quoted"key\\1',
    "schlüssel-ä",
    "\u202eturned-key",
  ],
  ...[
    "aaaaaaaa",
    "aaaaaaaaa",
    "😀😀😀😀",
    "\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800",
    "********",
    "short",
  ],
  ...["control\x7fkey", "the\nlines\nof"],
];

/** Writes the line as slowly and simply as it can be done. */
function slowLine(at: Date, event: string, fields: LogFields, secrets: readonly string[]): string {
  let line = printable(JSON.stringify({ time: at.toISOString(), level: "info", event, ...fields }));
  const shown = secrets.filter((secret) => secret.length >= 8);
  const forms = shown.flatMap((text) => [
    text,
    printable(JSON.stringify(text)).slice(1, -1),
    printable(text),
  ]);
  for (const form of new Set(forms)) line = line.replaceAll(form, "***");
  return `${line}\n`;
}

const textOf = (random: Random) =>
  Array.from({ length: random.below(5) }, () => random.pick(random.below(4) === 0 ? SECRETS : WORDS)).join(
    "",
  );

function fieldOf(random: Random): LogFields[string] {
  const values = [null, true, 0, -0, 1e21, 12345678.5, Number.NaN, random.below(100_000) / 100];
  return [textOf(random), undefined, random.pick(values)][random.below(3)];
}

const seed = chooseSeed();

test(`a line of JSON is what the slow and simple way writes, for random fields (SEED=${seed})`, () => {
  const random = createRandom(seed);
  let secrets: string[] = [];
  let line = "";
  let at = new Date(0);
  const create = () => createLog({ write: (text) => (line = text), secrets, now: () => at });
  let log = create();
  for (let i = 0; i < LINES; i++) {
    if (i % 100 === 0) {
      secrets = SECRETS.filter(() => random.below(3) === 0);
      log = create();
    }
    at = new Date(random.below(2 ** 31) * 1000 + random.below(3));
    const event = random.pick(EVENTS);
    const fields: LogFields = {};
    for (const name of NAMES) if (random.below(2) === 0) fields[name] = fieldOf(random);
    log.info(event, fields);
    expect(line).toBe(slowLine(at, event, fields, secrets));
  }
});
