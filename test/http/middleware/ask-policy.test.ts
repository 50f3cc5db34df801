import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { narrowPolicy } from "../../../src/http/middleware/ask-policy.ts";
import { PRIORITIES } from "../../../src/relay/routing/priority.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

const headers = (given: Record<string, string>) => new Headers(given);

test.each([
  [undefined, ["normal", "normal", "low"]],
  ["high", ["high", "normal", "low"]],
  ["normal", ["normal", "normal", "low"]],
  ["low", ["low", "low", "low"]],
] as const)("a request of a user with the class %p may lower it, and not raise it", (own, expected) => {
  const asked = (text: string) => narrowPolicy({ priority: own }, headers({ "x-priority": text })).priority;
  expect(PRIORITIES.map((priority) => asked(priority))).toEqual([...expected]);
  expect(asked("LOW")).toBe("low");
  expect(narrowPolicy({ priority: own }, headers({})).priority).toBe(own);
});

test("each tag of a request is demanded besides those of the user", () => {
  const narrow = (tags: string[][] | undefined, text: string) =>
    narrowPolicy({ tags }, headers({ "x-agent-tags": text })).tags;
  expect(narrow([["home", "ours"]], "gpu, eu,gpu")).toEqual([["home", "ours"], ["gpu"], ["eu"]]);
  expect(narrow(undefined, "gpu")).toEqual([["gpu"]]);
  const own = [["home"]];
  expect(narrowPolicy({ tags: own }, headers({}))).toEqual({ priority: undefined, tags: own });
});

test.each([
  ["x-priority", "urgent"],
  ["x-priority", ""],
  ["x-priority", "low,high"],
  ["x-agent-tags", ""],
  ["x-agent-tags", "gpu,"],
  ["x-agent-tags", "GPU"],
  ["x-agent-tags", "a b"],
  ["x-agent-tags", "x".repeat(65)],
  ["x-agent-tags", Array.from({ length: 33 }, (_, index) => `t${index}`).join()],
])("the header %s with the value %p is refused by its name", (name, value) => {
  const refused = () => narrowPolicy({}, headers({ [name]: value }));
  expect(refused).toThrow(AppError);
  try {
    refused();
  } catch (error) {
    expect(error).toMatchObject({ code: "request_invalid", param: name });
    expect((error as AppError).hint).toStartWith(`The header ${name} is not valid.`);
  }
});

test("a header that is not valid is a 400 in the error style of each route, and no agent is asked", async () => {
  const { agent, post, server } = await startModelScene({
    hello: { ...V2_HELLO, endpoints: ["chat/completions", "completions", "embeddings"] },
  });
  const messages = [{ role: "user", content: "hi" }];
  for (const [path, body] of [
    ["chat/completions", { messages }],
    ["completions", { prompt: "hi" }],
    ["embeddings", { input: "hi" }],
    ["responses", { input: "hi" }],
    ["messages", { messages, max_tokens: 9 }],
  ] as const) {
    const response = await post(
      path,
      { model: "m", ...body },
      { headers: { authorization: `Bearer ${ADMIN_KEY}`, "x-priority": "urgent" } },
    );
    expect(response.status, path).toBe(400);
    expect(await response.json(), path).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining("x-priority") },
    });
  }
  const response = await fetch(`${server.url}/api/ask`, {
    method: "POST",
    body: '{"content":"hi"}',
    headers: { authorization: ADMIN_KEY, "x-agent-tags": "Not valid" },
  });
  expect([response.status, await response.json()]).toEqual([
    400,
    { error: "Invalid request", hint: expect.stringContaining("x-agent-tags") },
  ]);
  expect(agent.frames.filter(({ type }) => type === "ask")).toEqual([]);
});
