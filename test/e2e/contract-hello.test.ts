import { expect, test } from "bun:test";
import { openRawSocket, type RawSocket, shakeHands } from "../support/raw-socket.ts";
import { useScene } from "../support/scene.ts";

const scene = useScene();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ZERO_TIME = "0001-01-01T00:00:00Z";

const open = async (options?: Parameters<typeof openRawSocket>[1]): Promise<RawSocket> => {
  const socket = await openRawSocket(`${scene.url}/client/register`, options);
  scene.after(socket.destroy);
  return socket;
};

const helloOf = async (socket: RawSocket) => JSON.parse((await socket.receive())?.text ?? "");

/** Says hello under an id, and waits until the server has handled that or closed the connection. */
const greet = async (socket: RawSocket, hello: string | { id: string }) => {
  await socket.receive();
  socket.send(typeof hello === "string" ? hello : JSON.stringify({ message: "", data: "", ...hello }));
  const known = socket.ping();
  const rest = socket.receive();
  return { known: await known, rest };
};

test("an agent is greeted with a new id, in a frame of three strings", async () => {
  const frames = await Promise.all(
    [open(), open()].map(async (opened) => (await (await opened).receive())?.text),
  );
  const ids = frames.map((frame) => {
    const { id } = JSON.parse(frame ?? "");
    expect(frame?.trimEnd()).toBe(`{"id":"${id}","message":"Connection id","data":""}`);
    expect(id).toMatch(UUID);
    return id;
  });
  expect(ids[0]).not.toBe(ids[1]);
});

test("the upgrade selects no subprotocol and no compression", async () => {
  const { status, headers, socket } = await shakeHands(`${scene.url}/client/register`, {
    headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
  });
  scene.after(() => socket?.destroy());
  expect(status).toBe(101);
  expect(headers.get("sec-websocket-protocol")).toBeNull();
  expect(headers.get("sec-websocket-extensions")).toBeNull();
});

test("an offered subprotocol that the server does not know is refused at the upgrade", async () => {
  for (const offered of ["chatgpt-agent.v99", "soap", "soap, mqtt"]) {
    const { status, body } = await shakeHands(`${scene.url}/client/register`, {
      headers: { "Sec-WebSocket-Protocol": offered },
    });
    expect([offered, status]).toEqual([offered, 400]);
    expect(JSON.parse(body).error).toBe("Unknown WebSocket subprotocol");
  }
});

test("an agent is listed from its answer to the hello until it leaves", async () => {
  const socket = await open();
  const { id } = await helloOf(socket);
  expect(await scene.connections()).toEqual([]);

  socket.send(JSON.stringify({ id, message: "Connection id", data: "" }));
  const known = socket.ping();
  const end = socket.receive();
  expect(await known).toBeTrue();
  const { text } = await scene.request("/api/connections", { headers: { authorization: scene.adminKey } });
  const [listed] = await scene.connections();
  expect(text).toStartWith(`{"connections":[{"Ws":{},"Id":"${id}","Heartbeat":"`);
  expect(text).toEndWith(`,"LastMessageTime":"${ZERO_TIME}"}]}`);
  expect(listed?.Heartbeat).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/);
  expect(Math.abs(Date.now() - Date.parse(listed?.Heartbeat ?? ""))).toBeLessThan(60_000);

  socket.close();
  await end;
  expect(await scene.connections()).toEqual([]);
});

test("the list of agents needs a key and is never null", async () => {
  expect((await scene.request("/api/connections")).text).toBe('{"error":"API key not provided"}');
  const wrong = await scene.request("/api/connections", { headers: { authorization: "wrong" } });
  expect([wrong.status, wrong.text]).toEqual([401, '{"error":"Invalid API key"}']);
  const { token } = await scene.addUser();
  const right = await scene.request("/api/connections", { headers: { authorization: `Bearer ${token}` } });
  expect([right.status, right.text]).toEqual([200, '{"connections":[]}']);
});

test("the times in the list of agents advance with each ask", async () => {
  const agent = await scene.firefox();
  const [fresh] = await scene.connections();
  const startedAt = Date.now();
  await scene.ask({ content: "hi" });
  const [used] = await scene.connections();
  expect(used?.Id).toBe(agent.id);
  const sentAt = Date.parse(used?.LastMessageTime ?? "");
  expect(sentAt).toBeWithin(startedAt, Date.now() + 1);
  expect(Date.parse(used?.Heartbeat ?? "")).toBeGreaterThanOrEqual(sentAt);
  expect(Date.parse(used?.Heartbeat ?? "")).toBeGreaterThanOrEqual(Date.parse(fresh?.Heartbeat ?? ""));
});

test("an agent registers under the id that it stored, known or not, and keeps it when it reconnects", async () => {
  const id = crypto.randomUUID();
  const agent = await scene.firefox({ id });
  expect((await scene.connections()).map(({ Id }) => Id)).toEqual([id]);
  agent.drop();
  await agent.ended;
  await agent.connect();
  expect((await scene.connections()).map(({ Id }) => Id)).toEqual([id]);
  expect((await scene.ask({ content: "hi" })).status).toBe(200);
});

test("a hello without a UUID closes the socket for good", async () => {
  const hellos = [
    "no JSON",
    "{}",
    "[]",
    '"text"',
    "null",
    '{"id":7}',
    '{"id":""}',
    '{"id":"x"}',
    `{"id":"${crypto.randomUUID()}x"}`,
  ];
  for (const hello of hellos) {
    const socket = await open();
    const { known, rest } = await greet(socket, hello);
    expect([hello, known, await rest, (await socket.ended).code]).toEqual([hello, false, undefined, 4501]);
  }
  expect(await scene.connections()).toEqual([]);
});

test("an id in use passes to a new connection with the same key, and the old one is closed for good", async () => {
  const first = await scene.firefox();
  const begun = await scene.ask({ content: "one" });
  const second = await scene.python({ id: first.id });
  expect((await first.ended).code).toBe(4500);
  expect((await scene.connections()).map(({ Id }) => Id)).toEqual([first.id]);
  const { conversation_id, response_id } = begun.body;
  const followed = await scene.ask({ content: "two", conversation_id, parent_id: response_id });
  expect(followed.status).toBe(200);
  expect(second.requests.map(({ content }) => content)).toEqual(["two"]);
});

test("an id in use is taken over from another address with the same key, and with no other", async () => {
  const first = await scene.firefox();
  const from = { localAddress: "127.0.0.2" };
  const added = await scene.request<{ key: string }>("/admin/agents/keys", {
    method: "POST",
    headers: { authorization: scene.adminKey },
    body: JSON.stringify({ name: "other" }),
  });
  const stranger = await open({ ...from, key: added.body.key });
  const { known, rest } = await greet(stranger, { id: first.id });
  await rest;
  expect([known, (await stranger.ended).code]).toEqual([false, 4502]);
  expect((await scene.ask({ content: "still mine" })).body.content).toBe("echo: still mine");

  const own = await open({ ...from, key: scene.agentKey });
  expect((await greet(own, { id: first.id })).known).toBeTrue();
  expect((await first.ended).code).toBe(4500);
});

test("binary frames, fragments and any message name are accepted", async () => {
  const socket = await open();
  const { id } = await helloOf(socket);
  const hello = JSON.stringify({ id, message: 7, more: true });
  socket.sendFragments([hello.slice(0, 3), hello.slice(3, 9), hello.slice(9)]);
  const known = socket.ping();
  const request = socket.receive();
  expect(await known).toBeTrue();

  const asked = scene.ask({ content: "hi" });
  const frame = JSON.parse((await request)?.text ?? "");
  expect(Object.keys(frame)).toEqual(["id", "message", "data"]);
  expect(frame.message).toBe("ChatGptRequest");
  expect(Object.keys(JSON.parse(frame.data))).toEqual([
    "message_id",
    "conversation_id",
    "parent_id",
    "content",
  ]);
  const answer = JSON.stringify({ id: frame.id, message: null, data: '{"content":"in bytes"}' });
  socket.send(new TextEncoder().encode(answer), { opcode: 2 });
  expect((await asked).body).toMatchObject({ content: "in bytes" });
});

test("an unmasked frame and a frame over the limit end their sender's connection only", async () => {
  const other = await scene.firefox();
  const unmasked = await open();
  await unmasked.receive();
  unmasked.send("{}", { masked: false });
  await unmasked.receive();
  expect((await unmasked.ended).code).toBe(1002);

  const huge = await open();
  await greet(huge, { id: crypto.randomUUID() });
  huge.send(Buffer.alloc(65 * 1024 * 1024, 32));
  expect((await huge.ended).code).toBeOneOf([1006, 1009]);
  expect((await scene.connections()).map(({ Id }) => Id)).toEqual([other.id]);
  expect((await scene.ask({ content: "hi" })).status).toBe(200);
});

test("a close frame of an idle agent is answered with its code", async () => {
  const socket = await open();
  const { rest } = await greet(socket, { id: crypto.randomUUID() });
  socket.close(1001, "tab closed");
  await rest;
  expect((await socket.ended).code).toBe(1001);
});
