import { expect, test } from "bun:test";
import { AgentFrame, frameFault } from "../../src/protocol/agent-v2.ts";

const HELLO = { type: "hello", name: "box", version: "1", slots: 2, models: [{ id: "m" }], endpoints: [] };

test.each<[unknown, string]>([
  [null, "expected an object, not null"],
  [{ type: 7 }, "type: expected a text"],
  [{ ...HELLO, slots: 1.5 }, "slots: expected a whole number"],
  [{ ...HELLO, models: [{ id: "m" }, { id: 1 }] }, "models[1].id: expected a text, not a number"],
  [{ type: "fail", ask: "1", retryable: true }, "error: expected an object, but it is missing"],
  [
    { type: "done", ask: "1", status: 200, headers: { "x-a": 1 } },
    'headers["x-a"]: expected a text, not a number',
  ],
])("the fault of the frame %j is told as %s", (frame, fault) => {
  const { error } = AgentFrame.safeParse(frame);
  expect(error && frameFault(error)).toBe(fault);
});
