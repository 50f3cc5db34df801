import { describe, expect, test } from "bun:test";
import { toolModelFault } from "../../../src/http/models/tool-models.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { completion } from "../../support/translated-responses.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

const ALLOWED = ["cheap"];

/** Returns the field for which the body is refused. */
function refused(text: string, models?: readonly string[]): string | undefined {
  return toolModelFault(text, JSON.parse(text), models)?.param;
}

const body = (fields: object) => JSON.stringify({ model: "cheap", ...fields });
const image = (model: unknown) => ({ type: "image_generation", model });

describe("tools that name a model", () => {
  test.each([
    ["of the request", { tools: [{ type: "mcp" }, image("dear")] }, "tools[1].model"],
    ["in a namespace", { tools: [{ type: "namespace", tools: [image("dear")] }] }, "tools[0].tools[0].model"],
    ["in additional_tools", { input: ["x", { tools: [image("dear")] }] }, "input[1].tools[0].model"],
    [
      "in a message",
      { messages: [{ content: [{ tool: { definition: { type: "advisor_20260301", model: "dear" } } }] }] },
      "messages[0].content[0].tool.definition.model",
    ],
    ["that is not a text", { tools: [image(["cheap"])] }, "tools[0].model"],
    ["under another case", { tools: [{ type: "image_generation", Model: "dear" }] }, "tools[0].model"],
  ])("a model %s that the user may not use is refused", (_, fields, param) => {
    expect(refused(body(fields), ALLOWED)).toBe(param);
    expect(refused(body(fields))).toBeUndefined();
  });

  test.each([
    ["twice", '{"model":"cheap","tools":[{"model":"dear","model":"cheap"}]}'],
    ["twice, once with an escape", '{"model":"cheap","tools":[{"mod\\u0065l":"dear","model":"cheap"}]}'],
  ])("a tool with a model %s is refused, as parsers may read either", (_, text) => {
    expect(refused(text, ALLOWED)).toBe("tools[0].model");
  });

  test("an allowed model, and words that only look like one, are not refused", () => {
    for (const fields of [
      { tools: [image("cheap")] },
      {
        tools: [
          image("cheap"),
          { type: "function", parameters: { properties: { model: { type: "string" } } } },
        ],
      },
      { tools: [{ type: "function", name: "model", parameters: { properties: { model: {} } } }] },
      { tools: [image("cheap")], messages: [{ content: 'say "model": "dear"' }] },
      { tools: "none", input: "model", messages: [{ content: "x" }, null] },
    ])
      expect(refused(body(fields), ALLOWED)).toBeUndefined();
  });
});

describe("a user who may use one model", () => {
  const tools = [{ type: "image_generation", model: "dear" }];
  const post = async (endpoints: string[]) => {
    const { server, agent, post } = await startModelScene({
      hello: { ...V2_HELLO, models: [{ id: "cheap" }, { id: "dear" }], endpoints },
      onAsk: ({ ask }, self) =>
        self.say({ type: "done", ask, status: 200, body: completion({ content: "a" }) }),
    });
    const init = { method: "POST", headers: { authorization: ADMIN_KEY } };
    const added = await fetch(`${server.url}/admin/users/add`, { ...init, body: '{"models":["cheap"]}' });
    const headers = { authorization: JSON.parse(await added.text()).token };
    const response = await post(
      "responses",
      { model: "cheap", input: "q", tools },
      { method: "POST", headers },
    );
    return { agent, status: response.status, text: await response.text() };
  };

  test("a tool with another model is not passed on, and the error names it", async () => {
    const { status, text } = await post(["responses"]);
    expect([status, JSON.parse(text).error.param]).toEqual([403, "tools[0].model"]);
  });

  test("such a tool is left out if the request can be translated", async () => {
    const { agent, status } = await post(["responses", "chat/completions"]);
    expect(status).toBe(200);
    const { endpoint, body } = await agent.next("ask");
    expect(endpoint).toBe("chat/completions");
    expect(body).not.toContain("dear");
  });
});
