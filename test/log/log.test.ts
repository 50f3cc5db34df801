import { expect, test } from "bun:test";
import { createLog, type LogLevel } from "../../src/log/log.ts";

function collect(options: { level?: LogLevel; secrets?: string[] } = {}) {
  const lines: string[] = [];
  const now = () => new Date(0);
  return { lines, log: createLog({ write: (line) => lines.push(line), now, ...options }) };
}

test("each event is one line of JSON, whatever its fields contain", () => {
  const { lines, log } = collect();
  log.info("request", { route: 'a\nb"\u2028', status: 200, user: undefined });
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"request","route":"a\\nb\\"\u2028","status":200}\n',
  ]);
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
