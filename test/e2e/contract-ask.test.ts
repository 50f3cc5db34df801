import { expect, test } from "bun:test";
import { testWith } from "../support/programs.ts";
import { useScene } from "../support/scene.ts";

const scene = useScene();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ANSWER_KEYS = ["id", "response_id", "conversation_id", "content", "error"];

test("an ask is relayed and its answer returned, with the keys in the reference's order", async () => {
  for (const connect of [scene.firefox, scene.python]) {
    const agent = await connect();
    const { status, body } = await scene.ask({ content: "hello" });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(ANSWER_KEYS);
    expect(body).toMatchObject({ content: "echo: hello", error: "" });
    expect(body.conversation_id).toMatch(UUID);
    expect(body.response_id).toMatch(UUID);
    expect(agent.requests).toHaveLength(1);
    await agent.stop();
  }
});

test("the request frame has the reference's keys, and new ids for those that the caller left out", async () => {
  const agent = await scene.firefox();
  await scene.ask({ content: "no ids", extra: { is: "dropped" }, message_id: "", parent_id: null });
  await scene.ask({ content: "ids", message_id: "my message", parent_id: "my parent" });
  const [fresh, given] = agent.requests;
  expect(Object.keys(fresh ?? {})).toEqual(["id", "message_id", "conversation_id", "parent_id", "content"]);
  expect(fresh).toEqual({
    id: expect.stringMatching(UUID),
    message_id: expect.stringMatching(UUID),
    conversation_id: "",
    parent_id: expect.stringMatching(UUID),
    content: "no ids",
  });
  expect(given).toMatchObject({ message_id: "my message", parent_id: "my parent", conversation_id: "" });
});

test("an answer's missing keys are empty, unknown keys are dropped, and id and error are passed on", async () => {
  const sparse = { id: "my id", error: "my error", content: undefined, response_id: undefined, mood: "good" };
  await scene.firefox({ answer: () => ({ ...sparse, conversation_id: "c" }) as object });
  const { text } = await scene.ask({ content: "hi" });
  expect(text).toBe('{"id":"my id","response_id":"","conversation_id":"c","content":"","error":"my error"}');
});

test("text arrives as it was sent, in both directions", async () => {
  const agent = await scene.firefox();
  const texts = [
    "Grüße, 世界, 👩‍🚀",
    "\u0000\u0001\b\f\n\r\t\u001f\u007f",
    '<b>&amp;"\\/</b>\u2028\u2029',
    '{"id":"x","message":"ping","data":""}',
    "x".repeat(1024 * 1024),
    "x".repeat(19 * 1024 * 1024),
  ];
  for (const content of texts) {
    const { status, body } = await scene.ask({ content });
    expect(status).toBe(200);
    expect(body.content === `echo: ${content}`).toBeTrue();
    expect(agent.requests.at(-1)?.content === content).toBeTrue();
  }
});

test("bytes that are not Unicode text become U+FFFD rather than an error", async () => {
  await scene.firefox();
  const escaped = await scene.ask('{"content":"a\\ud800b"}');
  expect([escaped.status, escaped.body.content]).toEqual([200, "echo: a\ufffdb"]);
  const bytes = await scene.request("/api/ask", {
    method: "POST",
    headers: { authorization: scene.adminKey },
    body: Buffer.concat([Buffer.from('{"content":"a'), Buffer.from([0xff]), Buffer.from('b"}')]),
  });
  expect([bytes.status, bytes.body["content"]]).toEqual([200, "echo: a\ufffdb"]);
});

test("the request's content type does not matter", async () => {
  await scene.firefox();
  for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/json", "nonsense"]) {
    const { status } = await scene.ask({ content: "hi" }, { headers: { "content-type": type } });
    expect([type, status]).toEqual([type, 200]);
  }
});

test("a token is accepted bare, as Bearer and as x-api-key", async () => {
  await scene.firefox();
  const { token } = await scene.addUser();
  for (const key of [token, scene.adminKey]) {
    for (const headers of [
      { authorization: key },
      { authorization: `Bearer ${key}` },
      { authorization: `bearer ${key}` },
      { "x-api-key": key },
      { authorization: `Bearer ${key}`, "x-api-key": key },
    ]) {
      expect((await scene.ask({ content: "hi" }, { key: null, headers })).status).toBe(200);
    }
  }
});

test("an ask without a valid key is refused before its body is looked at, and reaches no agent", async () => {
  const agent = await scene.firefox();
  const { token } = await scene.addUser();
  const other = await scene.addUser();
  const cases: [Record<string, string>, string][] = [
    [{}, "API key not provided"],
    [{ authorization: "" }, "Invalid API key"],
    [{ authorization: "wrong" }, "Invalid API key"],
    [{ authorization: "Bearer wrong" }, "Invalid API key"],
    [{ authorization: "Bearer " }, "Invalid API key"],
    [{ authorization: `${token}x` }, "Invalid API key"],
    [{ authorization: token.toUpperCase() }, "Invalid API key"],
    [{ "x-api-key": "wrong" }, "Invalid API key"],
    [{ authorization: token, "x-api-key": other.token }, "Two different API keys provided"],
  ];
  for (const [headers, error] of cases) {
    for (const body of ["{", '{"content":"hi"}']) {
      const reply = await scene.ask(body, { key: null, headers });
      expect([headers, reply.status, reply.body.error]).toEqual([headers, 401, error]);
    }
  }
  expect(agent.requests).toEqual([]);
});

test("a body that is not an ask is a 400 that says what is wrong without repeating it", async () => {
  const agent = await scene.firefox();
  const marker = "marker-7c1d";
  const bodies = [
    "",
    "{",
    `"${marker}"`,
    "null",
    `["${marker}"]`,
    "{}",
    '{"content":""}',
    '{"content":null}',
    `{"content":{"${marker}":1}}`,
    '{"content":7}',
    `{"content":"hi","message_id":["${marker}"]}`,
    '{"content":"hi","conversation_id":7}',
    '{"content":"hi","parent_id":true}',
  ];
  for (const body of bodies) {
    const reply = await scene.ask(body);
    expect([body, reply.status, reply.body["error"]]).toEqual([body, 400, "Invalid request"]);
    expect(reply.body).toHaveProperty("hint");
    expect(reply.text).not.toContain(marker);
  }
  expect(agent.requests).toEqual([]);
});

test("a gzipped body is decoded, and an encoding that the server does not know is a 415", async () => {
  const agent = await scene.firefox();
  const ask = (encoding: string) =>
    scene.request("/api/ask", {
      method: "POST",
      headers: { authorization: scene.adminKey, "content-encoding": encoding },
      body: Bun.gzipSync('{"content":"packed"}'),
    });
  expect((await ask("gzip")).status).toBe(200);
  expect(agent.requests).toHaveLength(1);
  const refused = await ask("compress");
  expect([refused.status, refused.body["error"]]).toEqual([415, expect.any(String)]);
});

test("free agents are used in turn, the least recently used one first", async () => {
  const agents = [await scene.firefox(), await scene.python(), await scene.firefox()];
  const order = async () => {
    const before = agents.map(({ requests }) => requests.length);
    await scene.ask({ content: "hi" });
    return agents.findIndex(({ requests }, index) => requests.length > (before[index] ?? 0));
  };
  const first = [await order(), await order(), await order()];
  expect(first.toSorted()).toEqual([0, 1, 2]);
  expect([await order(), await order(), await order()]).toEqual(first);
});

testWith("curl", "adding a user and asking with the new token work with the real curl", async (curl) => {
  await scene.firefox();
  const run = async (...args: string[]) => Bun.spawn([curl, "-s", ...args]).stdout.text();
  const added = JSON.parse(
    await run("-d", `{"admin_key":"${scene.adminKey}"}`, `${scene.url}/admin/users/add`),
  );
  scene.server.keepSecret(added.token);
  const answer = await run(
    ...["-H", `Authorization: ${added.token}`],
    ...["-d", '{"content":"Hello world"}', `${scene.url}/api/ask`],
  );
  expect(JSON.parse(answer)).toMatchObject({ content: "echo: Hello world", error: "" });
});
