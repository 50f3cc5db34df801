import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import { publishedTypes } from "../../support/published-types.ts";
import { countingContext } from "../../support/translated-responses.ts";
import { readStrictly } from "../../support/upstream/strict-request.ts";

/**
 * Walks through every type of tool, item and content block that the packages of OpenAI and Anthropic declare. A
 * type that a new version adds fails here until somebody has decided what becomes of it.
 */
type Json = Record<string, unknown>;

const OPENAI = "openai/resources/responses/responses";
const ANTHROPIC = "@anthropic-ai/sdk/resources/messages/messages";
const ANTHROPIC_BETA = "@anthropic-ai/sdk/resources/beta/messages/messages";

const parameters = { type: "object" };
const user = (content: unknown) => ({ role: "user", content });

/** Returns the chat completion, which a strict upstream must take, or the code with which it is refused. */
function outcome(translate: () => { request: Json }): Json | string {
  try {
    const { request } = translate();
    expect(readStrictly(request)).toEqual(request as never);
    return request;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const responses = (body: Json) =>
  outcome(() => translateResponses({ model: "m", input: "q", ...body }, countingContext()));
const messages = (body: Json) =>
  outcome(() =>
    translateMessages({ model: "m", max_tokens: 9, messages: [user("q")], ...body }, countingContext()),
  );
const countTools = (request: Json | string) => (request as { tools?: unknown[] }).tools?.length ?? 0;

describe("/v1/responses", () => {
  /** The tools that callers run. */
  const OWN: Record<string, Json> = {
    function: { name: "f", parameters },
    custom: { name: "c" },
    namespace: { name: "n", tools: [{ type: "function", name: "f", parameters }] },
  };
  test.each(publishedTypes(OPENAI, "Tool"))("a tool of the type %s is offered, or else left out", (type) => {
    const request = responses({ tools: [{ type, ...OWN[type] }] });
    expect(countTools(request)).toBe(type in OWN ? 1 : 0);
  });

  const call = { call_id: "1", name: "f" };
  /** The items that become messages. The others are left out. */
  const ITEMS: Record<string, [Json[], number]> = {
    message: [[{ type: "message", role: "assistant", content: "a" }], 1],
    function_call: [
      [
        { type: "function_call", ...call, arguments: "{}" },
        { type: "function_call_output", call_id: "1", output: "r" },
      ],
      2,
    ],
    custom_tool_call: [
      [
        { type: "custom_tool_call", ...call, input: "i" },
        { type: "custom_tool_call_output", call_id: "1", output: "r" },
      ],
      2,
    ],
  };
  const PAIRED = ["function_call_output", "custom_tool_call_output"];
  /** The rest of the request depends on these. */
  const REFUSED = ["compaction", "compaction_trigger", "item_reference"];
  const types = publishedTypes(OPENAI, "ResponseInputItem").filter((type) => !PAIRED.includes(type));
  test.each(types)("an item of the type %s has a place in the chat, or is left out or refused", (type) => {
    const [items, count] = ITEMS[type] ?? [[{ type, id: "msg_1" }], 0];
    const request = responses({ input: [user("q"), ...items, user("r")] });
    if (REFUSED.includes(type)) return expect(request).toBe("request_untranslatable");
    const sent = (request as { messages: Json[] }).messages;
    expect(sent).toHaveLength(count === 0 ? 1 : count + 2);
  });

  test("an item configuration_update sets the effort and the format from then on", () => {
    const schema = { type: "object", properties: {} };
    const format = { type: "json_schema", name: "n", schema };
    const update = { type: "configuration_update", reasoning: { effort: "low" }, text: { format } };
    const later = { type: "configuration_update", reasoning: { effort: "high" } };
    const request = responses({ reasoning: { effort: "medium" }, input: [update, user("q"), later] });
    expect(request).toMatchObject({
      reasoning_effort: "high",
      response_format: { type: "json_schema", json_schema: { name: "n", schema } },
      messages: [user("q")],
    });
  });
});

describe("/v1/messages", () => {
  const tools = [
    ...publishedTypes(ANTHROPIC, "ToolUnion"),
    ...publishedTypes(ANTHROPIC_BETA, "BetaToolUnion"),
  ];
  test.each([...new Set(tools)])("a tool of the type %s is offered, or else left out", (type) => {
    const own = type === "custom" && { input_schema: parameters };
    expect(countTools(messages({ tools: [{ type, name: "t", ...own }] }))).toBe(own ? 1 : 0);
  });

  const source = { type: "text", media_type: "text/plain", data: "d" };
  const png = { type: "base64", media_type: "image/png", data: "AA==" };
  const reference = { tool: { type: "tool_reference", name: "t" } };
  /** Complete blocks, by role. */
  const BLOCKS: Record<string, Json> = {
    text: { text: "a" },
    image: { source: png },
    document: { source },
    search_result: { source: "s", title: "t", content: [{ type: "text", text: "c" }] },
    tool_use: { id: "1", name: "t", input: {} },
    tool_result: { tool_use_id: "1", content: "r" },
    compaction: { content: "The summary." },
    tool_addition: reference,
    tool_removal: reference,
  };
  const OF_USERS = ["image", "document", "search_result", "tool_result", "container_upload"];
  const USED = { role: "assistant", content: [{ type: "tool_use", id: "1", name: "t", input: {} }] };
  const blocks = [
    ...publishedTypes(ANTHROPIC, "ContentBlockParam"),
    ...publishedTypes(ANTHROPIC_BETA, "BetaContentBlockParam"),
  ];
  test.each([...new Set(blocks)])(
    "a block of the type %s has a place in the chat, or is left out",
    (type) => {
      const block = { type, ...BLOCKS[type] };
      const history = OF_USERS.includes(type)
        ? [...(type === "tool_result" ? [USED] : []), user([block])]
        : [
            { role: "assistant", content: [block] },
            user(type === "tool_use" ? [{ type: "tool_result", ...BLOCKS["tool_result"] }] : "r"),
          ];
      const request = messages({ messages: [user("q"), ...history] });
      // The caller's own file, which the model would not see.
      if (type === "container_upload") return expect(request).toBe("request_untranslatable");
      const texts = JSON.stringify((request as { messages: Json[] }).messages);
      if (type === "compaction") expect(texts).toContain("The summary.");
      expect(texts).not.toContain(type === "text" ? "nothing" : `"${type}"`);
    },
  );
});

describe("changes of the tools in the messages", () => {
  const tool = (name: string) => ({ name, input_schema: parameters });
  const change = (type: string, name: string) => ({ type, tool: { type: "tool_reference", name } });
  const add = (definition: Json) => ({
    type: "tool_addition",
    tool: { type: "tool_definition", definition },
  });
  const names = (request: Json | string) =>
    (request as { tools?: { function: { name: string } }[] }).tools?.map((one) => one.function.name);
  const withChanges = (...content: unknown[]) =>
    messages({
      tools: [tool("a"), { ...tool("b"), defer_loading: true }],
      messages: [user("q"), { role: "system", content }],
    });

  test("a removed tool is not offered, until it is added again", () => {
    expect(names(withChanges(change("tool_removal", "a")))).toEqual(["b"]);
    expect(names(withChanges(change("tool_removal", "a"), change("tool_addition", "a")))).toEqual(["a", "b"]);
  });

  test("a tool that is defined in a message is offered, and replaces one of the same name", () => {
    expect(names(withChanges(add(tool("c"))))).toEqual(["a", "b", "c"]);
    const request = withChanges(add({ ...tool("a"), description: "Newer." })) as { tools: Json[] };
    expect(request.tools).toHaveLength(2);
    expect(JSON.stringify(request.tools)).toContain("Newer.");
    const web = { type: "web_search_20250305", name: "web_search" };
    expect(names(withChanges(add(web)))).toEqual(["a", "b"]);
  });

  test("the changes of a compaction count, and its summary is text", () => {
    const compaction = {
      type: "compaction",
      content: "We talked.",
      tool_changes: [change("tool_removal", "b"), add(tool("c"))],
    };
    const body = { tools: [tool("a"), tool("b")], messages: [user([compaction]), user("q")] };
    const request = messages(body);
    expect(names(request)).toEqual(["a", "c"]);
    expect((request as Json)["messages"]).toEqual([user("We talked.\n\nq")]);
  });

  test("a system message with changes only leaves no message behind", () => {
    const request = withChanges(change("tool_addition", "b")) as Json;
    expect(request["messages"]).toEqual([user("q")]);
  });
});
