import { expect, test } from "bun:test";
import { createKeylessReport } from "../../src/agents/keyless-report.ts";
import { createLog } from "../../src/log/log.ts";
import { createFakeClock } from "../support/clock.ts";

test("the log has at most one line a minute about agents without a key, which counts them", () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const { report } = createKeylessReport({ clock, log: createLog({ write: (line) => lines.push(line) }) });
  report("127.0.0.1");
  for (let second = 0; second < 59; second++) {
    clock.advance(1000);
    report("127.0.0.2");
  }
  expect(lines).toHaveLength(1);
  clock.advance(1000);
  report("10.0.0.3");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "warn", event: "agent_keyless", address: "127.0.0.1", count: 1 },
    { level: "warn", event: "agent_keyless", address: "10.0.0.3", count: 60 },
  ]);
});
