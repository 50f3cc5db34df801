import { describe, expect, onTestFinished, test } from "bun:test";
import { type AgentOptions, firefoxAgent } from "../../support/agents.ts";
import { blocksOf, requestsOf } from "../../support/model-scene.ts";
import { startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

const CHAT = "chat/completions";
const user = (content: unknown) => ({ role: "user", content });

async function scene(options: AgentOptions = {}, flags: string[] = []) {
  const server = await startTestServer(flags);
  const agent = await firefoxAgent(server.url, options);
  onTestFinished(() => agent.stop());
  return { server, agent, ...requestsOf(server) };
}

describe("a chat over a v1 agent", () => {
  test("the answer of a v1 agent is a chat completion of text without usage", async () => {
    const { post } = await scene();
    const response = await post(CHAT, { model: "chatgpt", messages: [user("hi")] });
    expect(response.status).toBe(200);
    const body = (await response.json()) as object;
    expect(body).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: "chat.completion",
      created: expect.any(Number),
      model: "chatgpt",
      choices: [{ index: 0, message: { role: "assistant", content: "echo: hi" }, finish_reason: "stop" }],
    });
    expect(body).not.toHaveProperty("usage");
  });

  test("the answer of a v1 agent is streamed in one chunk, with a role, an end and [DONE]", async () => {
    const { post } = await scene();
    const blocks = await blocksOf(
      await post(CHAT, { model: "chatgpt", messages: [user("hi")], stream: true }),
    );
    const [first, last] = blocks.map((block) => block.slice(6)).filter((data) => data !== "[DONE]");
    expect(JSON.parse(first ?? "").choices[0].delta).toEqual({ role: "assistant", content: "echo: hi" });
    expect(JSON.parse(last ?? "").choices[0]).toEqual({ index: 0, delta: {}, finish_reason: "stop" });
    expect(blocks.at(-1)).toBe("data: [DONE]");
  });

  test("a chat that goes on continues its conversation, and only the new message is sent", async () => {
    const { post, agent } = await scene();
    const messages: object[] = [
      { role: "system", content: "be brief" },
      user([{ type: "text", text: "one" }]),
    ];
    const answer = async () => {
      const body = (await (await post(CHAT, { model: "chatgpt", messages })).json()) as {
        choices: [{ message: { role: string; content: string } }];
      };
      messages.push(body.choices[0].message);
    };
    await answer();
    messages.push(user("two"));
    await answer();
    messages.push(user("three"));
    await answer();
    const [first, second, third] = agent.requests;
    expect(first?.content).toBe("System: be brief\n\nUser: one");
    expect([second?.content, third?.content]).toEqual(["two", "three"]);
    expect(second?.conversation_id).toBe(third?.conversation_id as string);
    expect(second?.conversation_id).not.toBe("");
    expect(third?.parent_id).not.toBe(second?.parent_id as string);
  });

  test("a history that the v1 agent never had is sent as one prompt", async () => {
    const { post, agent } = await scene();
    const messages = [user("one"), { role: "assistant", content: "1" }, user("two")];
    await post(CHAT, { model: "chatgpt", messages });
    expect(agent.requests[0]).toMatchObject({
      content: "User: one\n\nAssistant: 1\n\nUser: two",
      conversation_id: "",
    });
  });

  test("a chat of one user is never continued by another", async () => {
    const { post, agent, server } = await scene();
    const messages = [user("one")];
    await post(CHAT, { model: "chatgpt", messages });
    const headers = { authorization: "Bearer admin-key-of-the-tests" };
    const added = await fetch(`${server.url}/admin/users/add`, { method: "POST", headers });
    const { token } = (await added.json()) as { token: string };
    const more = [...messages, { role: "assistant", content: "echo: one" }, user("two")];
    await post(CHAT, { model: "chatgpt", messages: more }, { headers: { authorization: `Bearer ${token}` } });
    expect(agent.requests[1]?.conversation_id).toBe("");
  });

  test("a chat whose agent has left goes on at another, with all its messages", async () => {
    const { post, agent, server } = await scene();
    const messages = [user("one")];
    await post(CHAT, { model: "chatgpt", messages });
    await agent.stop();
    await until(() => server.logged().includes("agent_left"));
    const other = await firefoxAgent(server.url);
    onTestFinished(() => other.stop());
    const more = [...messages, { role: "assistant", content: "echo: one" }, user("two")];
    expect((await post(CHAT, { model: "chatgpt", messages: more })).status).toBe(200);
    expect(other.requests[0]?.content).toBe("User: one\n\nAssistant: echo: one\n\nUser: two");
  });

  test.each([true, false])("an answer with an error is a failure (stream: %p)", async (stream) => {
    const { post } = await scene({ answer: () => ({ content: "", error: "out of\nquota" }) });
    const response = await post(CHAT, { model: "chatgpt", messages: [user("hi")], stream });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { message: "The agent could not answer: out of quota." },
    });
  });

  test.each<[string, object, string]>([
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
    ["functions", { functions: [{ name: "f" }] }, "functions"],
    ["several answers", { n: 2 }, "n"],
    ["structured output", { response_format: { type: "json_object" } }, "response_format"],
    ["log probabilities", { logprobs: true }, "logprobs"],
    [
      "an image",
      { messages: [user([{ type: "image_url", image_url: { url: "data:image/png;base64,x" } }])] },
      "messages[0].content[0]",
    ],
    [
      "a tool's result",
      { messages: [{ role: "tool", content: "x", tool_call_id: "1" }, user("x")] },
      "messages[0]",
    ],
    ["no question", { messages: [{ role: "assistant", content: "x" }] }, "messages"],
    ["no messages", { messages: [] }, "messages"],
  ])("a chat with %s is refused for a v1 agent, and the error names the field", async (_, fields, param) => {
    const { post, agent } = await scene();
    const response = await post(CHAT, { model: "chatgpt", messages: [user("hi")], ...fields });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error", param } });
    expect(agent.requests).toEqual([]);
  });

  test("a v1 agent is used under the model name that the operator chose", async () => {
    const { post, get } = await scene({}, ["--v1-model", "web"]);
    expect((await post(CHAT, { model: "chatgpt", messages: [user("hi")] })).status).toBe(404);
    expect((await post(CHAT, { model: "web", messages: [user("hi")] })).status).toBe(200);
    expect(await (await get("models")).json()).toMatchObject({ data: [{ id: "web" }] });
  });
});
