import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import { firefoxAgent } from "../../support/agents.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import {
  connectV2Agent,
  messagesOf,
  streamPieces,
  V2_HELLO,
  type V2Agent,
  type V2AgentOptions,
} from "../../support/v2-agent.ts";

interface Answer {
  response_id: string;
  conversation_id: string;
  content: string;
  error: string;
}

const echo: NonNullable<V2AgentOptions["onAsk"]> = (ask, agent) => {
  const messages = messagesOf(ask);
  streamPieces(agent, ask.ask, [`${messages.length}: `, messages.at(-1)?.content ?? ""]);
};

async function join(server: TestServer, options: V2AgentOptions = {}): Promise<V2Agent> {
  const agent = await connectV2Agent(server.url, { onAsk: echo, ...options });
  onTestFinished(agent.stop);
  return agent;
}

async function post(server: TestServer, body: object, key = ADMIN_KEY): Promise<Response> {
  const headers = { authorization: key };
  return fetch(`${server.url}/api/ask`, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(server: TestServer, body: object, key = ADMIN_KEY): Promise<Answer> {
  const response = await post(server, body, key);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const follow = ({ conversation_id, response_id }: Answer, content: string) => ({
  content,
  conversation_id,
  parent_id: response_id,
});

describe("a conversation that the server keeps", () => {
  test("a conversation is continued, with all its messages, by any agent that has the model", async () => {
    const server = await startTestServer();
    const one = await join(server);
    const first = await ask(server, { content: "one" });
    expect(first.content).toBe("1: one");
    expect(Object.keys(first)).toEqual(["id", "response_id", "conversation_id", "content", "error"]);
    const second = await ask(server, follow(first, "two"));
    one.drop();
    await one.ended;
    const two = await join(server);
    const third = await ask(server, follow(second, "three"));
    expect(third.content).toBe("5: three");
    expect(messagesOf(await two.next("ask"))).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "1: one" },
      { role: "user", content: "two" },
      { role: "assistant", content: "3: two" },
      { role: "user", content: "three" },
    ]);
  });

  test("parent_id begins a branch, and without it a conversation goes on from the newest turn", async () => {
    const server = await startTestServer();
    const agent = await join(server);
    const root = await ask(server, { content: "root" });
    await ask(server, follow(root, "left"));
    const right = await ask(server, follow(root, "right"));
    const end = await ask(server, { content: "end", conversation_id: root.conversation_id });
    expect(end.content).toBe("5: end");
    const last = messagesOf(agent.frames.findLast((frame) => frame.type === "ask") as never);
    expect(last.map(({ content }) => content)).toEqual(["root", "1: root", "right", right.content, "end"]);
  });

  test("a conversation survives a restart of the server", async () => {
    const before = await startTestServer();
    await join(before);
    const first = await ask(before, { content: "one" });
    await before.stop();
    const after = await startTestServer([], { data: before.data });
    await join(after);
    expect((await ask(after, follow(first, "two"))).content).toBe("3: two");
  });

  test("a conversation exists only for its owner and the admin", async () => {
    const server = await startTestServer();
    await join(server);
    const add = async () => {
      const body = JSON.stringify({ admin_key: ADMIN_KEY });
      const added = await fetch(`${server.url}/admin/users/add`, { method: "POST", body });
      return ((await added.json()) as { token: string }).token;
    };
    const [ann, bob] = [await add(), await add()];
    const first = await ask(server, { content: "secret" }, ann);
    const [stranger, unknown] = await Promise.all([
      post(server, follow(first, "more"), bob),
      post(server, { content: "x", conversation_id: "unknown" }, bob),
    ]);
    expect([stranger.status, await stranger.text()]).toEqual([404, await unknown.text()]);
    const byAdmin = await ask(server, follow(first, "from above"));
    expect((await ask(server, follow(byAdmin, "mine again"), ann)).content).toBe("5: mine again");
  });

  test("a conversation keeps nothing of a turn that failed", async () => {
    const server = await startTestServer();
    let failing = false;
    await join(server, {
      onAsk: (frame, agent) => {
        if (failing) agent.say({ type: "fail", ask: frame.ask, error: { message: "no" }, retryable: false });
        else echo(frame, agent);
      },
    });
    const first = await ask(server, { content: "one" });
    failing = true;
    const failed = await post(server, follow(first, "two"));
    expect([failed.status, await failed.json()]).toEqual([
      502,
      { err: "no", error: "The agent could not answer" },
    ]);
    failing = false;
    expect((await ask(server, { content: "three", conversation_id: first.conversation_id })).content).toBe(
      "3: three",
    );
  });

  test("an unknown parent_id and a conversation beyond its length limit are refused", async () => {
    const server = await startTestServer(["--conversation-max", "1KB"]);
    await join(server);
    const first = await ask(server, { content: "one" });
    const stranger = await post(server, { ...follow(first, "x"), parent_id: "another" });
    expect([stranger.status, await stranger.json()]).toMatchObject([
      404,
      { error: "Parent message doesn't exist" },
    ]);
    const long = await post(server, follow(first, "x".repeat(1100)));
    expect([long.status, await long.json()]).toMatchObject([400, { error: "Conversation is too long" }]);
  });

  test("a turn beyond the length limit is answered, but not kept, whether its question or its answer is long", async () => {
    const server = await startTestServer(["--conversation-max", "1KB"]);
    let words = "y".repeat(1100);
    await join(server, { onAsk: ({ ask }, self) => streamPieces(self, ask, [words]) });
    const first = await ask(server, { content: "one" });
    expect(first).toMatchObject({ content: words, conversation_id: "", response_id: "" });
    words = "short";
    const long = await ask(server, { content: "x".repeat(1100) });
    expect(long).toMatchObject({ content: words, conversation_id: "", response_id: "" });
    const second = await ask(server, { content: "two" });
    words = "y".repeat(1100);
    const third = await ask(server, follow(second, "three"));
    expect(third).toMatchObject({ conversation_id: second.conversation_id, response_id: "" });
    await server.stop();
    const rows = new Database(`${server.data}/server.db`, { readonly: true });
    expect(rows.query("SELECT question FROM turns").values()).toEqual([["two"]]);
    rows.close();
  });

  test("a conversation goes on with its own model, or with one that the request names", async () => {
    const server = await startTestServer();
    const models = [{ id: "small" }, { id: "large" }];
    const agent = await join(server, { hello: { ...V2_HELLO, models } });
    const modelOf = async () => JSON.parse((await agent.next("ask")).body).model;
    const first = await ask(server, { content: "one", model: "large" });
    expect(await modelOf()).toBe("large");
    const second = await ask(server, follow(first, "two"));
    expect(await modelOf()).toBe("large");
    await ask(server, { ...follow(second, "three"), model: "small" });
    expect(await modelOf()).toBe("small");
    const unknown = await post(server, { content: "x", model: "huge" });
    expect(unknown.status).toBe(404);
  });
});

test.each([{}, { stream: true }])("an agent is asked for the usage of a request with %p", async (body) => {
  const server = await startTestServer();
  const agent = await join(server);
  await (await post(server, { content: "hi", ...body })).text();
  expect(JSON.parse((await agent.next("ask")).body)).toEqual({
    model: V2_HELLO.models[0]?.id,
    messages: [{ role: "user", content: "hi" }],
    stream: true,
    stream_options: { include_usage: true },
  });
});

describe("a streamed ask", () => {
  const events = (text: string) =>
    text
      .split("\n\n")
      .filter(Boolean)
      .map((event) => event.replace(/^data: /, ""));

  test.each([
    ["by the body", { stream: true }, {}],
    ["by Accept", {}, { accept: "text/event-stream" }],
  ])("an answer streamed %s comes in pieces, then whole, then [DONE]", async (_, body, headers) => {
    const server = await startTestServer();
    await join(server, { onAsk: ({ ask: id }, agent) => streamPieces(agent, id, ["Hel", "lo, ", "wörld"]) });
    const response = await fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY, ...headers },
      body: JSON.stringify({ content: "hi", ...body }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const [one, two, three, whole, end] = events(await response.text());
    expect([one, two, three]).toEqual(['{"delta":"Hel"}', '{"delta":"lo, "}', '{"delta":"wörld"}']);
    expect(JSON.parse(whole ?? "")).toMatchObject({ content: "Hello, wörld", error: "" });
    expect(end).toBe("[DONE]");
  });

  test("a streamed ask that fails before the first piece has an error status", async () => {
    const server = await startTestServer();
    const error = { message: "overloaded" };
    await join(server, {
      onAsk: ({ ask: id }, agent) =>
        agent.say({ type: "fail", ask: id, status: 429, error, retryable: true, retry_after_ms: 1500 }),
    });
    const response = await post(server, { content: "hi", stream: true });
    expect([response.status, response.headers.get("retry-after")]).toEqual([502, "2"]);
    expect(await response.json()).toEqual({ err: "overloaded", error: "The agent could not answer" });
    const nobody = await post(server, { content: "hi", stream: true, model: "unknown" });
    expect(nobody.status).toBe(404);
  });

  test("a streamed ask that fails after the first piece ends with an error event and without [DONE]", async () => {
    const server = await startTestServer();
    const agent = await join(server, {
      onAsk: ({ ask: id }, self) => {
        self.say({ type: "delta", ask: id, data: '{"choices":[{"delta":{"content":"Hel"}}]}' });
        self.drop();
      },
    });
    const response = await post(server, { content: "hi", stream: true });
    expect(response.status).toBe(200);
    const lost = { err: "the connection was closed", error: "Failed to read response from the client" };
    expect(events(await response.text())).toEqual(['{"delta":"Hel"}', JSON.stringify(lost)]);
    await agent.ended;
  });

  test("a streamed ask whose caller hangs up is cancelled at its agent", async () => {
    const server = await startTestServer();
    const agent = await join(server, {
      onAsk: ({ ask: id }, self) =>
        self.say({ type: "delta", ask: id, data: '{"choices":[{"delta":{"content":"Hel"}}]}' }),
    });
    const caller = new AbortController();
    const response = await fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: '{"content":"hi","stream":true}',
      signal: caller.signal,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    caller.abort();
    const { ask: cancelled } = await agent.next("cancel");
    expect(cancelled).toBe((await agent.next("ask")).ask);
  });

  test("the answer of a v1 agent is streamed as one piece", async () => {
    const server = await startTestServer();
    const agent = await firefoxAgent(server.url, { answer: () => ({ content: "whole" }) });
    const response = await post(server, { content: "hi", stream: true });
    const [piece, whole, end] = events(await response.text());
    expect([piece, JSON.parse(whole ?? "").content, end]).toEqual(['{"delta":"whole"}', "whole", "[DONE]"]);
    await agent.stop();
  });
});
