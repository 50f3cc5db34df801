import { describe, expect, test } from "bun:test";
import { ask, translate } from "./scene.ts";

const requestOf = (more: Record<string, unknown>) => translate(ask(more)).request;
const messagesOf = (...messages: unknown[]) => requestOf({ messages })["messages"];
const user = (...content: unknown[]) => ({ role: "user", content });
const assistant = (...content: unknown[]) => ({ role: "assistant", content });

const PNG = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0K" } };
const PHOTO = { type: "image", source: { type: "url", url: "https://example.com/a.jpg" } };
const TOOL = { name: "weather", description: "The weather", input_schema: { type: "object" } };

describe("fields", () => {
  test("a plain question becomes a chat completion with the required fields only", () => {
    expect(requestOf({})).toEqual({
      model: "m",
      messages: [{ role: "user", content: "Hello" }],
      max_tokens: 100,
      stream: false,
    });
  });

  test("a streamed request asks for the usage", () => {
    expect(requestOf({ stream: true })).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("sampling, stop sequences and the user get the names of chat completions", () => {
    const request = requestOf({
      temperature: 0,
      top_p: 0.5,
      top_k: 40,
      stop_sequences: ["END"],
      metadata: { user_id: "u" },
    });
    expect(request).toMatchObject({ temperature: 0, top_p: 0.5, top_k: 40, stop: ["END"], user: "u" });
  });

  test("a user id that is too long for OpenAI is left out", () => {
    expect(requestOf({ metadata: { user_id: "u".repeat(64) } })["user"]).toBe("u".repeat(64));
    expect(requestOf({ metadata: { user_id: "u".repeat(65) } })).not.toHaveProperty("user");
  });

  test.each([
    [undefined, undefined],
    ["low", "low"],
    ["medium", "medium"],
    ["high", undefined],
    ["xhigh", "high"],
    ["max", "high"],
  ])("the effort %p becomes the reasoning effort %p", (effort, expected) => {
    expect(requestOf({ output_config: { effort } })["reasoning_effort"]).toBe(expected);
  });

  test.each(["output_config", "output_format"])(
    "a schema in %s becomes the format of the answer",
    (field) => {
      const schema = { type: "object", properties: { a: { type: "string" } } };
      const format = { type: "json_schema", schema };
      const request = requestOf(
        field === "output_config" ? { output_config: { format } } : { [field]: format },
      );
      expect(request["response_format"]).toEqual({
        type: "json_schema",
        json_schema: { name: "answer", schema, strict: true },
      });
    },
  );
});

describe("messages", () => {
  test("the system prompt comes first, with each block on a line, whatever their cache_control", () => {
    const cache_control = { type: "ephemeral", scope: "global" };
    const system = [
      { type: "text", text: "One.", cache_control },
      { type: "text", text: "Two." },
    ];
    expect(requestOf({ system })["messages"]).toEqual([
      { role: "system", content: "One.\nTwo." },
      { role: "user", content: "Hello" },
    ]);
    expect(requestOf({ system: "Three." })["messages"]).toContainEqual({ role: "system", content: "Three." });
    expect(requestOf({ system: [] })["messages"]).toHaveLength(1);
  });

  test("a system message in the middle becomes text of the user at its place", () => {
    const system = { role: "system", content: "Be brief." };
    expect(messagesOf(user({ type: "text", text: "a" }), system)).toEqual([
      { role: "user", content: "a\n\nBe brief." },
    ]);
  });

  test("Claude Code's line for Anthropic's billing is left out of the prompt, and the rest of its block stays", () => {
    const system = (cch: string) => [
      { type: "text", text: `x-anthropic-billing-header: cc_version=2.1.197.0df; cch=${cch};` },
      { type: "text", text: "You are a coding agent.", cache_control: { type: "ephemeral" } },
    ];
    const prompt = { role: "system", content: "You are a coding agent." };
    for (const cch of ["1f2e3", "9a8b7"])
      expect(requestOf({ system: system(cch) })["messages"]).toContainEqual(prompt);
    const text = `x-anthropic-billing-header: cc_version=1;\n${prompt.content}`;
    expect(requestOf({ system: text })["messages"]).toContainEqual(prompt);
    const alone = requestOf({ system: "x-anthropic-billing-header: cc_version=1;" })["messages"];
    expect(alone).toEqual([{ role: "user", content: "Hello" }]);
    const quoted = { role: "system", content: "Say x-anthropic-billing-header: a" };
    expect(requestOf({ system: quoted.content })["messages"]).toContainEqual(quoted);
  });

  test("images keep their place between the texts", () => {
    const content = [{ type: "text", text: "Compare" }, PNG, { type: "text", text: "with" }, PHOTO];
    expect(messagesOf(user(...content))).toEqual([
      user(
        { type: "text", text: "Compare" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
        { type: "text", text: "with" },
        { type: "image_url", image_url: { url: "https://example.com/a.jpg" } },
      ),
    ]);
  });

  test("documents of text and search results become text", () => {
    const document = {
      type: "document",
      title: "Notes",
      source: { type: "text", media_type: "text/plain", data: "Body" },
    };
    const blocks = { ...document, source: { type: "content", content: [{ type: "text", text: "Inner" }] } };
    const found = {
      type: "search_result",
      source: "src",
      title: "Hit",
      content: [{ type: "text", text: "Found" }],
    };
    expect(messagesOf(user(document, blocks, found))).toEqual([
      { role: "user", content: "Notes\nBody\nNotes\nInner\nHit\nsrc\nFound" },
    ]);
  });

  test("tool calls and their results pair up, and the results follow the calls at once", () => {
    const turn = assistant(
      { type: "thinking", thinking: "hm", signature: "s" },
      { type: "redacted_thinking", data: "x" },
      { type: "text", text: "Looking." },
      { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Rome" } },
      { type: "tool_use", id: "toolu_2", name: "clock", input: {} },
    );
    const results = user(
      { type: "text", text: "And Oslo?" },
      { type: "tool_result", tool_use_id: "toolu_1", content: "sunny" },
      {
        type: "tool_result",
        tool_use_id: "toolu_2",
        is_error: true,
        content: [{ type: "text", text: "broken" }],
      },
    );
    expect(messagesOf(user({ type: "text", text: "Rome?" }), turn, results)).toEqual([
      { role: "user", content: "Rome?" },
      {
        role: "assistant",
        content: "Looking.",
        tool_calls: [
          { id: "toolu_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
          { id: "toolu_2", type: "function", function: { name: "clock", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "toolu_1", content: "sunny" },
      { role: "tool", tool_call_id: "toolu_2", content: "Error: broken" },
      { role: "user", content: "And Oslo?" },
    ]);
  });

  test("tool results alone make no user message, and a turn of calls alone has no text", () => {
    const turn = assistant({ type: "tool_use", id: "t", name: "weather", input: null });
    const results = user({ type: "tool_result", tool_use_id: "t" });
    expect(messagesOf(turn, results)).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t", type: "function", function: { name: "weather", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "t", content: "" },
    ]);
  });

  test("images in a tool result come in a user message right after all results, with the call they are from", () => {
    const results = user(
      { type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "Taken" }, PNG, PHOTO] },
      { type: "tool_result", tool_use_id: "b", content: "plain" },
      { type: "text", text: "Well?" },
    );
    expect(messagesOf(results)).toEqual([
      { role: "tool", tool_call_id: "a", content: "Taken\n(2 images in the next message)" },
      { role: "tool", tool_call_id: "b", content: "plain" },
      user(
        { type: "text", text: "2 images from tool call a:" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
        { type: "image_url", image_url: { url: "https://example.com/a.jpg" } },
        { type: "text", text: "Well?" },
      ),
    ]);
  });
});

describe("tools", () => {
  test("the caller's tools become functions, without the fields that only Anthropic knows", () => {
    const claudeCode = { ...TOOL, type: "custom", strict: true, cache_control: {}, defer_loading: true };
    const eager = { name: "bare", input_schema: { type: "object" }, eager_input_streaming: true };
    expect(requestOf({ tools: [claudeCode, eager] })["tools"]).toEqual([
      {
        type: "function",
        function: {
          name: "weather",
          description: "The weather",
          parameters: { type: "object" },
          strict: true,
        },
      },
      { type: "function", function: { name: "bare", parameters: { type: "object" } } },
    ]);
  });

  test.each([
    [{ type: "auto" }, "auto"],
    [{ type: "any" }, "required"],
    [{ type: "none" }, "none"],
    [
      { type: "tool", name: "weather" },
      { type: "function", function: { name: "weather" } },
    ],
  ])("the tool choice %j becomes %j", (tool_choice, expected) => {
    expect(requestOf({ tools: [TOOL], tool_choice })["tool_choice"]).toEqual(expected);
  });

  test("parallel calls are switched off only if the caller does so", () => {
    const tool_choice = { type: "auto", disable_parallel_tool_use: true };
    expect(requestOf({ tools: [TOOL], tool_choice })["parallel_tool_calls"]).toBe(false);
    expect(requestOf({ tools: [TOOL] })).not.toHaveProperty("parallel_tool_calls");
  });

  test("a request without tools has no field about tools, which upstreams would refuse", () => {
    const request = requestOf({ tools: [], tool_choice: { type: "auto", disable_parallel_tool_use: true } });
    expect(Object.keys(request)).toEqual(["model", "messages", "max_tokens", "stream"]);
  });
});

test("a request of Claude Code is translated, with all its further fields", () => {
  const request = requestOf({
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1" },
      {
        type: "text",
        text: "You are an agent.",
        cache_control: { type: "ephemeral", ttl: "1h", scope: "global" },
      },
    ],
    messages: [user({ type: "text", text: "Hi", cache_control: { type: "ephemeral" } })],
    tools: [{ ...TOOL, eager_input_streaming: true }],
    metadata: { user_id: JSON.stringify({ device_id: "d".repeat(64), session_id: "s" }) },
    max_tokens: 32_000,
    thinking: { type: "adaptive" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    output_config: { effort: "high" },
    diagnostics: { previous_message_id: null },
    mcp_servers: [],
    container: null,
    betas: ["claude-code-20250219"],
    stream: true,
  });
  expect(Object.keys(request)).toEqual([
    ...["model", "messages", "max_tokens", "tools", "stream", "stream_options"],
  ]);
});

test("the result of Claude Code's tool search names the tools that were found", () => {
  const content = [{ type: "tool_reference", tool_name: "mcp__a__b" }];
  expect(messagesOf(user({ type: "tool_result", tool_use_id: "t", content }))).toEqual([
    { role: "tool", tool_call_id: "t", content: "mcp__a__b" },
  ]);
});
