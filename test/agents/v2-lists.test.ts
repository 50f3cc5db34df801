import { expect, test } from "bun:test";
import { LIST_LENGTH_MAX } from "../../src/protocol/agent-v2.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { connect, HELLO, register } from "./v2-scene.ts";

test("the frames of a list in one message are read in order, as if each had come alone", async () => {
  const { ask, say, last } = register();
  const deltas: string[] = [];
  const first = ask("one", { model: "m", onDelta: ({ data }) => deltas.push(data) });
  const { ask: one } = last("ask");
  const second = ask("two", { model: "m" });
  const { ask: two } = last("ask");
  expect(last("ready").limits.list_length).toBe(LIST_LENGTH_MAX);
  say([
    { type: "delta", ask: one, data: "1" },
    { type: "done", ask: two, status: 200, body: "{}" },
    { type: "delta", ask: one, data: "2", event: "named" },
    { type: "newer", of: "a later protocol" },
    { type: "done", ask: one, status: 200 },
  ]);
  expect([await first, await second, deltas]).toEqual(["200", "200", ["1", "2"]]);
});

test.each<[string, unknown[], string]>([
  [
    "with a frame that is not valid",
    [{ type: "delta", ask: "1" }],
    "delta.data: expected a text, but it is missing",
  ],
  ["within a list", [[{ type: "pause" }]], "expected an object, not a list"],
  [
    "that is too long",
    [{ type: "pause", more: "x".repeat(LIST_LENGTH_MAX) }],
    "the list of frames is too long",
  ],
])("a list %s closes the connection, and its other frames are not read", (_, list, fault) => {
  const { say, closed, relay } = register();
  say([...list, { type: "update", models: [{ id: "never" }] }]);
  expect(closed).toEqual([{ code: 4006, reason: `invalid frame: ${fault}` }]);
  expect([relay.stats().agents, relay.knowsModel("never")]).toEqual([0, false]);
});

test("a hello must come alone, as the agent cannot know yet that the server takes lists", () => {
  const { say, closed } = connect();
  say([HELLO]);
  expect(closed).toEqual([{ code: 4501, reason: "invalid hello: expected an object, not a list" }]);
});

test("frames outside of an ask are counted one by one in lists too", () => {
  const { say, closed } = register();
  for (let list = 0; list < 10; list++) say(Array(100).fill({ type: "pause" }));
  expect(closed).toEqual([CLOSE.frames_bad]);
});

test.each([
  [{ ask: "", data: "1" }, "delta.ask: expected at least 1 character"],
  [{ ask: "x".repeat(65), data: "1" }, "delta.ask: expected at most 64 characters"],
  [{ ask: 1, data: "1" }, "delta.ask: expected a text, not a number"],
  [{ ask: "1", data: null }, "delta.data: expected a text, not null"],
])("the delta %j is refused although deltas have a way of their own", (delta, fault) => {
  const { say, closed } = register();
  say({ type: "delta", ...delta });
  expect(closed).toEqual([{ code: 4006, reason: `invalid frame: ${fault}` }]);
});
