import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import {
  chunk,
  completion,
  countingContext,
  finish,
  serveResponses,
  streamedEvents,
} from "../../../support/translated-responses.ts";
import { expectWholeAnswer, withoutIds } from "./order.ts";

const parameters = { type: "object", properties: {}, additionalProperties: false };
const plain = (name: string) => ({
  type: "function",
  name,
  description: `Runs ${name}.`,
  parameters,
  strict: false,
});
const GRAMMAR = 'start: "*** Begin Patch" LF';
const PATCH = '*** Begin Patch\n*** Update File: "a.ts"\n+\tnaïve 👩‍🔬\n*** End Patch\n';

/** The tools of Codex CLI: functions, a namespace of them, its patch tool with a grammar, and a search. */
const CODEX = {
  model: "m",
  instructions: "You are a coding agent.",
  tools: [
    plain("exec_command"),
    {
      type: "custom",
      name: "apply_patch",
      description: "Edits files.",
      format: { type: "grammar", syntax: "lark", definition: GRAMMAR },
    },
    {
      type: "namespace",
      name: "multi_agent_v1",
      description: "Agents of your own.",
      tools: [plain("spawn_agent"), plain("close_agent")],
    },
    { type: "web_search", external_web_access: false },
  ],
  tool_choice: "auto",
  parallel_tool_calls: true,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0195",
  client_metadata: { "x-codex-installation-id": "1" },
  text: { verbosity: "medium" },
  input: [
    { type: "message", role: "developer", content: [{ type: "input_text", text: "Sandbox: none." }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Fix it." }] },
    {
      type: "reasoning",
      summary: [{ type: "summary_text", text: "A patch." }],
      content: null,
      encrypted_content: null,
    },
    { type: "custom_tool_call", status: "completed", call_id: "p1", name: "apply_patch", input: PATCH },
    {
      type: "function_call",
      call_id: "s1",
      name: "spawn_agent",
      namespace: "multi_agent_v1",
      arguments: "{}",
    },
    { type: "custom_tool_call_output", call_id: "p1", output: "Done!" },
    { type: "function_call_output", call_id: "s1", output: "started" },
  ],
};
const CALLS = [
  { id: "c1", type: "function", function: { name: "multi_agent_v1__close_agent", arguments: '{"id":1}' } },
  {
    id: "c2",
    type: "function",
    function: { name: "apply_patch", arguments: JSON.stringify({ input: PATCH }) },
  },
  { id: "c3", type: "function", function: { name: "exec_command", arguments: "{}" } },
];

test("the tools and the history of a Codex CLI request reach the upstream as functions", () => {
  const { request } = translateResponses(CODEX, countingContext());
  const functions = (request["tools"] as { function: Record<string, unknown> }[]).map(
    (tool) => tool.function,
  );
  expect(functions.map(({ name }) => name)).toEqual([
    "exec_command",
    "apply_patch",
    "multi_agent_v1__spawn_agent",
    "multi_agent_v1__close_agent",
  ]);
  expect(functions[0]).toEqual({
    name: "exec_command",
    description: "Runs exec_command.",
    parameters,
    strict: false,
  });
  expect(functions[1]).toMatchObject({
    parameters: { properties: { input: { type: "string" } }, required: ["input"] },
  });
  expect(functions[1]?.["description"]).toContain("Edits files.");
  expect(functions[1]?.["description"]).toContain(GRAMMAR);
  expect(functions[2]?.["description"]).toContain("Agents of your own.");
  expect(functions[3]?.["description"]).toBe("Runs close_agent.");
  expect(request["messages"]).toEqual([
    { role: "system", content: "You are a coding agent.\n\nSandbox: none." },
    { role: "user", content: "Fix it." },
    {
      role: "assistant",
      content: null,
      reasoning_content: "A patch.",
      tool_calls: [
        {
          id: "p1",
          type: "function",
          function: { name: "apply_patch", arguments: JSON.stringify({ input: PATCH }) },
        },
        { id: "s1", type: "function", function: { name: "multi_agent_v1__spawn_agent", arguments: "{}" } },
      ],
    },
    { role: "tool", tool_call_id: "p1", content: "Done!" },
    { role: "tool", tool_call_id: "s1", content: "started" },
  ]);
  const { tools: _, messages: __, ...rest } = request;
  expect(rest).toEqual({
    model: "m",
    tool_choice: "auto",
    parallel_tool_calls: true,
    reasoning_effort: "medium",
    verbosity: "medium",
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("calls come back as the kind of tool that was offered, whole, streamed, and through the official package", async () => {
  const data = [
    ...CALLS.flatMap(({ id, function: { name, arguments: args } }, index) => [
      chunk({
        tool_calls: [{ index, id, type: "function", function: { name, arguments: args.slice(0, 5) } }],
      }),
      chunk({ tool_calls: [{ index, function: { arguments: args.slice(5) } }] }),
    ]),
    finish("tool_calls"),
    "[DONE]",
  ];
  const expected = [
    {
      type: "function_call",
      call_id: "c1",
      namespace: "multi_agent_v1",
      name: "close_agent",
      arguments: '{"id":1}',
    },
    { type: "custom_tool_call", call_id: "c2", name: "apply_patch", input: PATCH },
    { type: "function_call", call_id: "c3", name: "exec_command", arguments: "{}" },
  ];
  const streamed = expectWholeAnswer(streamedEvents(CODEX, data));
  expect(streamed.output).toMatchObject(expected);
  expect(streamed.output[2]).not.toHaveProperty("namespace");
  const { answer } = translateResponses(CODEX, countingContext());
  const whole = JSON.parse(
    answer(completion({ content: null, tool_calls: CALLS }, { finish_reason: "tool_calls" })),
  );
  expect(withoutIds(whole)).toEqual(withoutIds(streamed));

  const { url } = serveResponses(() => data);
  const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });
  const { stream: _, ...body } = CODEX;
  const final = await client.responses.stream(body as never).finalResponse();
  expect(JSON.parse(JSON.stringify(final.output))).toMatchObject(expected);
});

test("bare text that a model sends to a custom tool becomes its input", () => {
  const { answer } = translateResponses(CODEX, countingContext());
  for (const args of [PATCH, '{"patch":1}', "null", '"quoted"', ""]) {
    const tool_calls = [{ id: "c", type: "function", function: { name: "apply_patch", arguments: args } }];
    expect(JSON.parse(answer(completion({ tool_calls }))).output).toMatchObject([{ input: args }]);
    const streamed = expectWholeAnswer(streamedEvents(CODEX, [chunk({ tool_calls }), finish("tool_calls")]));
    expect(streamed.output).toMatchObject([{ input: args }]);
  }
});

test("the answer lists the tools that the model was offered, without a web search that was left out", () => {
  const { answer } = translateResponses(CODEX, countingContext());
  expect(JSON.parse(answer(completion({ content: "Hi" }))).tools).toEqual(CODEX.tools.slice(0, 3));
});

describe("the choice of a tool", () => {
  const chosen = (tool_choice: unknown) =>
    translateResponses({ ...CODEX, tool_choice }, countingContext()).request;
  const names = (request: Record<string, unknown>) =>
    (request["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name);

  test("a tool chosen by name becomes the choice of the upstream's function", () => {
    for (const [choice, name] of [
      [{ type: "function", name: "exec_command" }, "exec_command"],
      [{ type: "custom", name: "apply_patch" }, "apply_patch"],
      [{ type: "function", name: "spawn_agent", namespace: "multi_agent_v1" }, "multi_agent_v1__spawn_agent"],
    ] as const) {
      expect(chosen(choice)["tool_choice"]).toEqual({ type: "function", function: { name } });
    }
  });

  test("a tool choice that is a word stays, and allowed_tools leaves out the other tools", () => {
    for (const word of ["none", "auto", "required"]) expect(chosen(word)["tool_choice"]).toBe(word);
    const request = chosen({
      type: "allowed_tools",
      mode: "required",
      tools: [{ type: "function", name: "exec_command" }],
    });
    expect([request["tool_choice"], names(request)]).toEqual(["required", ["exec_command"]]);
  });

  test("the choice of an unknown tool, or of one that OpenAI would run, is refused", () => {
    expect(() => chosen({ type: "function", name: "nothing" })).toThrow(
      expect.objectContaining({ code: "request_untranslatable", param: "tool_choice.name" }),
    );
    expect(() => chosen({ type: "web_search" })).toThrow(
      expect.objectContaining({ param: "tool_choice.type" }),
    );
  });
});

test("tool names that would be too long or equal are kept apart, and are mapped back", () => {
  const long = "x".repeat(63);
  const tools = [
    {
      type: "namespace",
      name: "a",
      description: "",
      tools: [plain(`${long}1`), plain(`${long}2`), plain("b")],
    },
    plain("a__b"),
  ];
  const body = { model: "m", input: "hi", tools };
  const { request, answer } = translateResponses(body, countingContext());
  const names = (request["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name);
  expect(new Set(names).size).toBe(4);
  expect(names.every((name) => name.length <= 64)).toBe(true);
  const tool_calls = names.map((name, index) => ({
    id: `${index}`,
    type: "function",
    function: { name, arguments: "{}" },
  }));
  expect(JSON.parse(answer(completion({ tool_calls }))).output).toMatchObject([
    { namespace: "a", name: `${long}1` },
    { namespace: "a", name: `${long}2` },
    { namespace: "a", name: "b" },
    { name: "a__b" },
  ]);
});
