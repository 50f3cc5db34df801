import { expect, test } from "bun:test";
import { createLog, type LogFormat, type LogLevel } from "../../src/log/log.ts";
import { PRINTABLE } from "../../src/printable.ts";

function collect(options: { level?: LogLevel; secrets?: string[]; format?: LogFormat } = {}) {
  const lines: string[] = [];
  const now = () => new Date(0);
  return { lines, log: createLog({ write: (line) => lines.push(line), now, ...options }) };
}

test("each event is one line of JSON, whatever its fields contain", () => {
  const { lines, log } = collect();
  log.info("request", { route: 'a\nb"\u2028', status: 200, user: undefined });
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"request","route":"a\\nb\\"\\u2028","status":200}\n',
  ]);
});

test.each(["json", "pretty"] as const)(
  "a %s line can neither control a terminal nor look like another one",
  (format) => {
    const { lines, log } = collect({ format });
    const text = "\x1b[2J\x9b31m\r\n\u2028ok \u202egnp\u200b\0";
    log.info("x", { text }, format === "pretty" ? undefined : text);
    log.info("x", {}, text);
    for (const line of lines) expect(line.slice(0, -1)).toMatch(PRINTABLE);
    if (format === "json") expect(JSON.parse(lines[0] ?? "").text).toBe(text);
  },
);

test("a registered secret is masked also where its characters are escaped", () => {
  const secret = "secret-\u202e-one";
  const { lines, log } = collect({ secrets: [secret] });
  log.info("x", { a: `the ${secret}` });
  expect(JSON.parse(lines[0] ?? "").a).toBe("the ***");
});

test("lines below the level are not written", () => {
  const { lines, log } = collect({ level: "warn" });
  for (const level of ["debug", "info", "warn", "error"] as const) log[level](level);
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(["warn", "error"]);
});

test("a registered secret is masked wherever it appears, also one registered later", () => {
  const { lines, log } = collect({ secrets: ["secret-one"] });
  log.mask("secret-two");
  log.info("x", { a: "secret-one and secret-two and secret-one" });
  expect(JSON.parse(lines[0] ?? "").a).toBe("*** and *** and ***");
});

test("a secret as short as a word is not masked", () => {
  const { lines, log } = collect({ secrets: ["key"] });
  log.info("keyed");
  expect(lines[0]).toContain("keyed");
});
