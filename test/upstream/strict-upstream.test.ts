import { describe, expect, test } from "bun:test";
import { eventsOf } from "../support/upstream/events.ts";
import { callThenText, shareStrictUpstream } from "../support/upstream/strict-upstream.ts";

const upstream = shareStrictUpstream(["qwen"]);
const ask = (body: object) =>
  fetch(`${upstream().url}/chat/completions`, { method: "POST", body: JSON.stringify(body) });

/** Parses a body without a type, as the test inspects it. */
const json = async (response: Response) => JSON.parse(await response.text());

const user = { role: "user", content: "q" };
const system = { role: "system", content: "s" };
const call = (id: string, args = "{}") => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id, type: "function", function: { name: "f", arguments: args } }],
});
const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "r" });
const parameters = { type: "object", properties: {} };
const tools = [{ type: "function", function: { name: "f", parameters } }];

describe("the strict upstream", () => {
  const refused: [string, object, string][] = [
    ["an unknown field", { messages: [user], top_k: 3 }, "Extra inputs are not permitted"],
    ["an unknown field of a message", { messages: [{ ...user, cache_control: {} }] }, "cache_control"],
    ["a tool of another type", { messages: [user], tools: [{ type: "web_search" }] }, "tools"],
    ["an empty list of tools", { messages: [user], tools: [] }, "tools"],
    ["a choice without tools", { messages: [user], tool_choice: "auto" }, "`tools` must be set"],
    ["a developer message", { messages: [{ role: "developer", content: "s" }, user] }, "role"],
    ["a later system message", { messages: [user, system] }, "System message must be at the beginning."],
    ["no user", { messages: [system] }, "No user query found in messages."],
    ["two users in a row", { messages: [user, user] }, "Conversation roles must alternate"],
    ["a result without a call", { messages: [user, result("a")] }, "Tool response without a tool call."],
    ["a call without its result", { messages: [user, call("a"), user] }, "must be followed"],
    ["a result of another call", { messages: [user, call("a"), result("b")] }, "must be followed"],
    ["arguments that are not an object", { messages: [user, call("a", ""), result("a")] }, "mapping"],
  ];
  test.each(refused)("the strict upstream refuses %s", async (_, body, message) => {
    const response = await ask({ model: "qwen", ...body });
    expect([400, 500]).toContain(response.status);
    expect((await json(response)).error.message).toContain(message);
    expect(upstream().refusals).toHaveLength(1);
    expect(upstream().requests).toEqual([]);
  });

  test("the strict upstream answers with a call and then with text, whole and streamed", async () => {
    upstream().script(callThenText("f", { x: 1 }, "done"));
    const asked = { model: "qwen", messages: [system, user], tools };
    const first = await json(await ask(asked));
    const { message } = first.choices[0];
    expect(message.tool_calls[0].function).toEqual({ name: "f", arguments: '{"x":1}' });
    expect(first.choices[0].finish_reason).toBe("tool_calls");
    const { index: _, ...said } = message.tool_calls[0];
    const messages = [system, user, { ...message, tool_calls: [said] }, result(said.id)];
    const stream_options = { include_usage: true };
    const streamed = await ask({ ...asked, messages, stream: true, stream_options });
    const events = eventsOf(await streamed.text()).map(({ data }) => data);
    expect(events.at(-1)).toBe("[DONE]");
    expect(JSON.parse(events[0] ?? "").choices[0].delta.content).toBe("done");
    expect(upstream().refusals).toEqual([]);
  });
});
