import { describe, expect, test } from "bun:test";
import { ask, refusal } from "./scene.ts";

const user = (...content: unknown[]) => ({ role: "user", content });
const assistant = (...content: unknown[]) => ({ role: "assistant", content });

const PNG = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0K" } };
const TOOL = { name: "weather", description: "The weather", input_schema: { type: "object" } };

describe("what a chat completion cannot express", () => {
  const PDF = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } };
  const cited = {
    type: "document",
    source: { type: "text", media_type: "text/plain", data: "Body" },
    citations: { enabled: true },
  };
  const server = { type: "web_search_20250305", name: "web_search" };
  const rows: [string, Record<string, unknown>][] = [
    ["messages[0].content[0].source.type", { messages: [user(PDF)] }],
    ["messages[0].content[0].citations", { messages: [user(cited)] }],
    [
      "messages[0].content[0].source.type",
      { messages: [user({ ...PNG, source: { type: "file", file_id: "f" } })] },
    ],
    [
      "messages[0].content[0].content[0].source.type",
      {
        messages: [user({ type: "tool_result", tool_use_id: "t", content: [PDF] })],
      },
    ],
    [
      "messages[0].content[1].type",
      {
        messages: [assistant({ type: "text", text: "a" }, { type: "tomorrow" }), user()],
      },
    ],
    [
      "messages[1].role",
      { messages: [user({ type: "text", text: "a" }), assistant({ type: "text", text: "{" })] },
    ],
    ["system[0].type", { system: [PNG] }],
    ["tool_choice.name", { tools: [TOOL, server], tool_choice: { type: "tool", name: "web_search" } }],
    ["tool_choice", { tools: [{ type: "bash_20250124", name: "bash" }], tool_choice: { type: "any" } }],
    ["tool_choice", { tools: [{ type: "mcp_toolset", mcp_server_name: "a" }], tool_choice: { type: "any" } }],
    ["tool_choice", { tool_choice: { type: "any" } }],
    ["tool_choice.name", { tools: [TOOL], tool_choice: { type: "tool", name: "other" } }],
    ["container", { container: "container_1" }],
    ["thread", { thread: { type: "create" } }],
    ["output_config.effort", { output_config: { effort: "boundless" } }],
    ["output_config.effort", { output_config: { effort: "constructor" } }],
    ["output_config.format.type", { output_config: { format: { type: "xml" } } }],
  ];
  test.each(rows)("%s is refused by name in %j", (param, more) => {
    const error = refusal(ask(more));
    expect(error).toMatchObject({ code: "request_untranslatable", param });
    expect(error.hint).not.toBeEmpty();
  });

  test("the hint names the type of a chosen tool that runs at Anthropic", () => {
    const tool_choice = { type: "tool", name: "web_search" };
    expect(refusal(ask({ tools: [server], tool_choice })).hint).toContain("web_search_20250305");
  });
});

describe("a request that is not valid", () => {
  const rows: [string, Record<string, unknown>][] = [
    ["max_tokens", { max_tokens: undefined }],
    ["max_tokens", { max_tokens: 0 }],
    ["model", { model: "" }],
    ["messages", { messages: [] }],
    ["messages[0].role", { messages: [{ role: "tool", content: "a" }] }],
    ["messages[0].content[0].text", { messages: [user({ type: "text" })] }],
    [
      "messages[0].content[0].source.data",
      {
        messages: [user({ type: "image", source: { type: "base64", media_type: "image/png" } })],
      },
    ],
    ["tools[0].input_schema", { tools: [{ name: "a" }] }],
    ["tool_choice.type", { tool_choice: { type: "sometimes" } }],
    ["temperature", { temperature: "hot" }],
  ];
  test.each(rows)("%s is named as invalid in %j", (param, more) => {
    expect(refusal(ask(more))).toMatchObject({ code: "body_invalid", param });
  });

  test.each([[null], ["text"], [[]], [1]])("the body %j is refused as not a request", (body) => {
    expect(refusal(body)).toMatchObject({ code: "body_invalid", param: undefined });
  });
});
