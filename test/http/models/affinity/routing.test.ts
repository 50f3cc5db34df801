import { describe, expect, onTestFinished, test } from "bun:test";
import { SESSION_HEADERS } from "../../../../src/http/models/affinity/session.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../../support/server.ts";
import { type AskFrame, connectV2Agent, V2_HELLO } from "../../../support/v2-agent.ts";

type Body = Record<string, unknown>;

const ALL = ["chat/completions", "completions", "responses", "messages"];
const CHAT = ["chat/completions"];

let ids = 0;

/** Returns a whole answer of each endpoint. */
function answerTo({ endpoint }: AskFrame): Body {
  const id = `resp_${++ids}`;
  if (endpoint === "responses") {
    const content = [{ type: "output_text", text: "ok", annotations: [] }];
    const message = { type: "message", id: "msg_1", role: "assistant", status: "completed", content };
    return { id, object: "response", status: "completed", output: [message] };
  }
  if (endpoint === "messages")
    return { id, type: "message", role: "assistant", content: [{ type: "text", text: "ok" }] };
  const message = { role: "assistant", content: "ok" };
  return {
    id,
    object: "chat.completion",
    choices: [{ index: 0, message, text: "ok", finish_reason: "stop" }],
  };
}

/** A server with two equal agents. Without affinity they take turns. */
async function startPair(endpoints: readonly string[]) {
  const server = await startTestServer();
  const asked: string[] = [];
  for (const name of ["one", "two"]) {
    const agent = await connectV2Agent(server.url, {
      hello: { ...V2_HELLO, name, endpoints },
      onAsk: (frame, to) => {
        asked.push(name);
        to.say({ type: "done", ask: frame.ask, status: 200, body: JSON.stringify(answerTo(frame)) });
      },
    });
    onTestFinished(agent.stop);
  }
  const post = callerOf(server, ADMIN_KEY);
  /** Returns the name of the agent that got the request. */
  const place = async (path: string, body: Body, headers: Record<string, string> = {}, by = post) => {
    const response = await by(path, body, headers);
    expect(response.status).toBe(200);
    await response.text();
    return asked.at(-1);
  };
  return { server, post, place };
}

const callerOf =
  (server: TestServer, key: string) =>
  (path: string, body: Body, headers = {}) =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify(path.startsWith("/v1/") ? { model: "m", ...body } : body),
    });

/** Adds a user, and returns their id and what sends their requests. */
async function addUser(server: TestServer) {
  const added = await callerOf(server, ADMIN_KEY)("/admin/users/add", {});
  const { user_id, token } = (await added.json()) as { user_id: string; token: string };
  return { id: user_id, by: callerOf(server, token) };
}

const user = (content: string) => ({ role: "user", content });
const OK = { role: "assistant", content: "ok" };
const LONG = "Once upon a time ".repeat(100);

/** For each surface, how a conversation begins and goes on, and how another one begins. */
const SURFACES: [string, Body, Body, Body][] = [
  [
    "/v1/chat/completions",
    { messages: [user("a")] },
    { messages: [user("a"), OK, user("b")] },
    { messages: [user("x")] },
  ],
  [
    "/v1/messages",
    { messages: [user("a")] },
    { messages: [user("a"), OK, user("b")] },
    { messages: [user("x")] },
  ],
  ["/v1/responses", { input: "a" }, { input: [user("a"), OK, user("b")] }, { input: "x" }],
  ["/v1/completions", { prompt: LONG }, { prompt: `${LONG} there was` }, { prompt: "x" }],
];

describe("the next turn of a conversation goes to the agent that has the earlier ones", () => {
  for (const [path, first, next, other] of SURFACES) {
    test(`a conversation of ${path} stays, and others go to the agent that was used least recently`, async () => {
      const { place } = await startPair(ALL);
      expect([await place(path, first), await place(path, next)]).toEqual(["one", "one"]);
      expect([await place(path, other), await place(path, next)]).toEqual(["two", "one"]);
      expect(await place(path, { ...next, stream: true })).toBe("one");
    });
  }

  for (const path of ["/v1/messages", "/v1/responses"]) {
    test(`a translated conversation of ${path} stays`, async () => {
      const { place } = await startPair(CHAT);
      const [, first = {}, next = {}, other = {}] = SURFACES.find(([each]) => each === path) ?? [];
      const tokens = path === "/v1/messages" && { max_tokens: 10 };
      const turn = (body: Body) => place(path, { ...body, ...tokens });
      expect([await turn(first), await turn(next)]).toEqual(["one", "one"]);
      expect([await turn(other), await turn(next)]).toEqual(["two", "one"]);
    });
  }

  for (const [how, endpoints] of [
    ["native", ALL],
    ["translated", CHAT],
  ] as const) {
    for (const stream of [false, true]) {
      test(`a ${how} response${stream ? " that was streamed" : ""} is continued by the agent that has it`, async () => {
        const { post, place } = await startPair(endpoints);
        const text = await (await post("/v1/responses", { input: "a", stream })).text();
        const previous_response_id = text.match(/resp_[\w-]+/)?.[0];
        for (let turn = 0; turn < 2; turn++)
          expect(await place("/v1/responses", { input: "b", previous_response_id })).toBe("one");
        expect(await place("/v1/responses", { input: "x" })).toBe("two");
      });
    }
  }

  test("each header of a session leads to the agent that had the session last", async () => {
    const { place } = await startPair(CHAT);
    for (const [number, name] of SESSION_HEADERS.entries()) {
      const turn = (text: string) =>
        place("/v1/chat/completions", { messages: [user(text)] }, { [name]: `session-${number}` });
      const first = await turn("a");
      expect([await turn("b"), await turn("c")], name).toEqual([first, first]);
    }
  });

  test("a conversation of /api/ask stays", async () => {
    const { post, place } = await startPair(CHAT);
    const begun = await (await post("/api/ask", { content: "a" })).json();
    const { conversation_id } = begun as { conversation_id: string };
    for (let turn = 0; turn < 2; turn++)
      expect(await place("/api/ask", { content: "b", conversation_id })).toBe("one");
    expect(await place("/api/ask", { content: "x" })).toBe("two");
  });

  test("users with the same messages and session have nothing in common", async () => {
    const { server, place } = await startPair(CHAT);
    const session = { "x-session-id": "same" };
    const { by: ann } = await addUser(server);
    const { by: ben } = await addUser(server);
    const body = { messages: [user("a")] };
    const path = "/v1/chat/completions";
    expect(await place(path, body, session, ann)).toBe("one");
    expect(await place(path, body, session, ben)).toBe("two");
    expect(await place(path, body, session, ann)).toBe("one");
    expect(await place(path, body, session, ben)).toBe("two");
  });

  test("the conversations of a user who was disabled are forgotten", async () => {
    const { server, post, place } = await startPair(CHAT);
    const body = { messages: [user("a")] };
    const path = "/v1/chat/completions";
    const { id, by } = await addUser(server);
    const next = { messages: [user("a"), OK, user("b")] };
    expect(await place(path, body, {}, by)).toBe("one");
    expect(await place(path, next, {}, by)).toBe("one");
    for (const change of ["disable", "enable"])
      expect((await post(`/admin/users/${id}/${change}`, {})).status).toBe(200);
    expect(await place(path, next, {}, by)).toBe("two");
  });
});
