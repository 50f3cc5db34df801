import { describe, expect, test } from "bun:test";
import { createLog, type LogFields, type LogLevel } from "../../src/log/log.ts";

const noon = () => new Date(2026, 10, 23, 12, 5, 9, 7);

function logged(
  event: string,
  fields: LogFields = {},
  options: { colored?: boolean; secrets?: string[] } = {},
) {
  let text = "";
  const write = (line: string) => {
    text += line;
  };
  createLog({ write, now: noon, format: "pretty", level: "debug", ...options }).info(event, fields);
  return text;
}

describe("a pretty line", () => {
  test("a pretty line has the time of day, the level, the event and its named fields", () => {
    expect(logged("listening", { port: 8080, host: "*", gone: undefined, none: null })).toBe(
      "12:05:09.007 info  listening port=8080 host=* none=null\n",
    );
  });

  test("a pretty line of a request or an ask begins with its subject and outcome", () => {
    const request = { request_id: "req_1", method: "GET", route: "/health", status: 200, ms: 0.4 };
    expect(logged("request", { ...request, user: undefined })).toBe(
      "12:05:09.007 info  request  GET /health 200 0.4ms request_id=req_1\n",
    );
    const ask = { surface: "ask", model: "m", outcome: "no_agent", tries: 0, ms: 3 };
    expect(logged("ask", ask)).toBe("12:05:09.007 info  ask      ask m no_agent 3ms tries=0\n");
  });

  test("a pretty line stays one line, and no text in it can control the terminal", () => {
    const line = logged("x", {
      a: "b\nc",
      d: "\x1b[2J",
      e: 'f"g',
      h: "\u2028\u009b\u202e",
      i: "",
      j: "k l",
      m: "ä",
    });
    expect(line).toBe(
      '12:05:09.007 info  x        a="b\\nc" d="\\u001b[2J" e="f\\"g" h="\\u2028\\u009b\\u202e" i="" j="k l" m=ä\n',
    );
  });

  test("a pretty line has colors only if enabled, and is the same without them", () => {
    const fields = { method: "GET", route: "/x", status: 200, ms: 1, user: "u" };
    const [plain, colored] = [logged("request", fields), logged("request", fields, { colored: true })];
    expect(plain).not.toContain("\x1b");
    expect(colored).toContain("\x1b[32minfo");
    expect(Bun.stripANSI(colored)).toBe(plain);
  });

  test("a pretty line masks secrets that are escaped", () => {
    const secret = 'a"b\\c d-0123456789';
    const line = logged("x", { whole: secret, part: `before ${secret} after` }, { secrets: [secret] });
    expect(line).toBe('12:05:09.007 info  x        whole="***" part="before *** after"\n');
  });
});

test.each(["debug", "info", "warn", "error"] as LogLevel[])(
  "lines of the level %s name the level",
  (level) => {
    const lines: string[] = [];
    createLog({ write: (line) => lines.push(line), format: "pretty", level: "debug", now: noon })[level]("x");
    expect(lines).toEqual([`12:05:09.007 ${level.padEnd(5)} x\n`]);
  },
);
