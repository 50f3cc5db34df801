import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import { completion, countingContext } from "../../support/translated-responses.ts";

type Json = Record<string, unknown>;

const parameters = { type: "object" };
const messages = (body: Json) =>
  translateMessages(
    { model: "m", max_tokens: 9, messages: [{ role: "user", content: "q" }], ...body },
    countingContext(),
  ).request;
const responses = (body: Json) => translateResponses({ model: "m", input: "q", ...body }, countingContext());

const names = (request: Json) =>
  (request["tools"] as { function: { name: string } }[] | undefined)?.map((tool) => tool.function.name);

function refusedField(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError && error.code === "request_untranslatable") return error.param;
    throw error;
  }
  throw new Error("the request was translated");
}

describe("/v1/responses: tools that only the vendor runs", () => {
  const own = { type: "function", name: "exec_command", parameters };
  const types = [
    ...["web_search", "web_search_preview", "tool_search", "image_generation", "file_search", "mcp"],
    ...["code_interpreter", "computer_use_preview", "local_shell", "shell", "apply_patch", "tomorrow"],
  ];

  test.each(types)("%s is left out beside other tools, and alone", (type) => {
    const { request, answer } = responses({ tools: [{ type }, own, { type }], tool_choice: "auto" });
    expect([names(request), request["tool_choice"]]).toEqual([["exec_command"], "auto"]);
    expect(JSON.parse(answer(completion({ content: "a" }))).tools).toEqual([own]);
    expect(responses({ tools: [{ type }], tool_choice: "auto" }).request).not.toContainAnyKeys([
      "tools",
      "tool_choice",
    ]);
    const inner = [{ type }, own];
    expect(names(responses({ tools: [{ type: "namespace", name: "a", tools: inner }] }).request)).toEqual([
      "a__exec_command",
    ]);
  });

  test.each(types)("the choice of %s is refused, but not a choice among others", (type) => {
    const tools = [own, { type }];
    expect(refusedField(() => responses({ tools, tool_choice: { type } }))).toBe("tool_choice.type");
    expect(refusedField(() => responses({ tools: [{ type }], tool_choice: "required" }))).toBe("tool_choice");
    const allowed = (mode: string, list: Json[]) => ({ type: "allowed_tools", mode, tools: list });
    const chosen = responses({ tools, tool_choice: allowed("required", [{ type }, own]) }).request;
    expect([names(chosen), chosen["tool_choice"]]).toEqual([["exec_command"], "required"]);
    expect(names(responses({ tools, tool_choice: allowed("auto", [{ type }]) }).request)).toBeUndefined();
    expect(refusedField(() => responses({ tools, tool_choice: allowed("required", [{ type }]) }))).toBe(
      "tool_choice.tools",
    );
  });

  test("the items of such tools in the history are left out", () => {
    const items = [
      ...["web_search_call", "file_search_call", "image_generation_call", "code_interpreter_call"],
      ...["computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output"],
      ...["tool_search_call", "tool_search_output", "mcp_list_tools", "mcp_call", "mcp_approval_request"],
      "mcp_approval_response",
    ].map((type) => ({ type, id: "x", status: "completed" }));
    const references = ["rs_1", "ws_1", "ig_1", "mcp_1"].map((id) => ({ type: "item_reference", id }));
    const input = [{ role: "user", content: "q" }, ...items, ...references, { role: "user", content: "r" }];
    expect(responses({ input }).request["messages"]).toEqual([{ role: "user", content: "q\n\nr" }]);
  });

  test("the caller's tools in an item additional_tools are offered, and the vendor's are not", () => {
    const more = { type: "custom", name: "apply_patch" };
    const item = { type: "additional_tools", role: "developer", tools: [own, { type: "web_search" }, more] };
    const { request } = responses({ input: [item, { role: "user", content: "q" }, item], tools: [] });
    expect(names(request)).toEqual(["exec_command", "apply_patch"]);
    expect(request["messages"]).toEqual([{ role: "user", content: "q" }]);
  });
});

describe("/v1/messages: tools that only the vendor runs", () => {
  const own = { name: "weather", input_schema: parameters };
  const tools: [string, Json][] = [
    ["web_search", { type: "web_search_20250305", name: "web_search", max_uses: 5 }],
    ["bash", { type: "bash_20250124", name: "bash" }],
    ["code_execution", { type: "code_execution_20250825", name: "code_execution" }],
    ["tool_search_tool_regex", { type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" }],
    ["", { type: "mcp_toolset", mcp_server_name: "a" }],
    ["tomorrow", { type: "tomorrow_20300101", name: "tomorrow" }],
  ];
  const mcp_servers = [{ type: "url", url: "https://example.com", name: "a" }];

  test.each(tools)("the tool %j is left out beside other tools, and alone: %j", (_, tool) => {
    const request = messages({ tools: [tool, own], mcp_servers, tool_choice: { type: "any" } });
    expect([names(request), request["tool_choice"]]).toEqual([["weather"], "required"]);
    expect(messages({ tools: [tool], tool_choice: { type: "auto" } })).not.toContainAnyKeys([
      "tools",
      "tool_choice",
    ]);
  });

  test.each(tools)("the choice of the tool %j is refused: %j", (name, tool) => {
    const chosen = { tools: [tool, own], tool_choice: { type: "tool", name } };
    expect(refusedField(() => messages(chosen))).toBe("tool_choice.name");
    const any = { tools: [tool], tool_choice: { type: "any" } };
    expect(refusedField(() => messages(any))).toBe("tool_choice");
  });

  test("the blocks of such tools in the history are left out", () => {
    const blocks = [
      ...["server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "mcp_tool_use"],
      ...["mcp_tool_result", "bash_code_execution_tool_result", "tool_search_tool_result"],
    ].map((type) => ({ type, id: "x" }));
    const history = [
      { role: "user", content: "q" },
      { role: "assistant", content: [{ type: "text", text: "a" }, ...blocks, { type: "text", text: "b" }] },
      { role: "user", content: "r" },
    ];
    expect(messages({ messages: history })["messages"]).toEqual([
      { role: "user", content: "q" },
      { role: "assistant", content: "a\nb" },
      { role: "user", content: "r" },
    ]);
  });
});
