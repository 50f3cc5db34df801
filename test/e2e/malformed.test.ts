import { expect, test } from "bun:test";
import { sendRawRequest } from "../support/http.ts";
import { MARKER, malformedBody, malformedRequest, sendMalformedFrame } from "../support/malformed.ts";
import type { AgentRequest } from "../support/outcome.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { openRawSocket, type RawSocket } from "../support/raw-socket.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { until } from "../support/until.ts";

const seed = chooseSeed();

const POST_ROUTES = ["/api/ask", "/admin/users/add", "/admin/users/delete"] as const;

async function expectWorking(scene: Scene) {
  const content = crypto.randomUUID();
  expect((await scene.request("/health")).text).toBe("OK");
  const { status, body } = await scene.ask({ content });
  expect([status, body.content]).toEqual([200, `echo: ${content}`]);
}

/** Runs `work` for each number below `count`, 16 at a time. */
async function forEach(count: number, work: (index: number) => Promise<void>) {
  let next = 0;
  const run = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: 16 }, run));
}

test(`1,000 malformed bodies cause no 5xx, and none is in the log (SEED=${seed})`, async () => {
  const scene = await startScene({ flags: ["--key-failures-max", "1000000"] });
  scene.server.keepSecret(MARKER);
  const { token } = await scene.addUser();
  await scene.firefox();
  const statuses = new Set<number | undefined>();
  await forEach(1000, async (index) => {
    const random = createRandom(seed + index);
    const path = random.pick(POST_ROUTES);
    const key = random.pick([token, scene.adminKey, MARKER, ""]);
    if (index % 5 === 0) {
      const { kind, bytes } = malformedRequest(path, key, random);
      const reply = await sendRawRequest(scene.url, bytes, { silenceMs: 100 });
      statuses.add(reply?.status);
      expect([index, kind, (reply?.status ?? 0) < 500]).toEqual([index, kind, true]);
      return;
    }
    const fields = { content: MARKER, conversation_id: MARKER, parent_id: MARKER, message_id: MARKER };
    const { kind, bytes, headers } = malformedBody(
      path === "/api/ask" ? fields : { admin_key: random.pick([scene.adminKey, MARKER]), user_id: MARKER },
      random,
    );
    const reply = await scene.request(path, {
      method: "POST",
      headers: random.next() < 0.7 ? { ...headers, authorization: key } : headers,
      body: bytes,
    });
    statuses.add(reply.status);
    if (path === "/admin/users/add" && reply.status === 200)
      scene.server.keepSecret(String(reply.body["token"]));
    const known = [200, 400, 401, 404, 413, 415].includes(reply.status);
    expect([index, kind, path, reply.status, known]).toEqual([index, kind, path, reply.status, true]);
    if (reply.status >= 400)
      expect([index, kind, reply.text]).toEqual([index, kind, expect.not.stringContaining(MARKER)]);
  });
  for (const status of [200, 400, 401]) expect(statuses).toContain(status);
  await expectWorking(scene);
});

/** Resolves once the server has read the frame, has closed the socket, or waits for the rest of the frame. */
const settle = (socket: RawSocket) => Promise.race([socket.ping(), socket.ended, Bun.sleep(50)]);

/** Registers an agent that behaves well, except for what the test sends over its socket. */
async function connectAgent(scene: Scene) {
  const socket = await openRawSocket(`${scene.url}/client/register`);
  const hello = JSON.parse((await socket.receive())?.text ?? "");
  socket.send(JSON.stringify({ id: hello.id, message: "", data: "" }));
  const asked = Promise.withResolvers<AgentRequest>();
  void (async () => {
    for (let message = await socket.receive(); message; message = await socket.receive()) {
      const frame = JSON.parse(message.text);
      if (frame.message === "ChatGptRequest") asked.resolve({ ...JSON.parse(frame.data), id: frame.id });
    }
  })();
  await socket.ping();
  return { socket, request: asked.promise };
}

const answer = (socket: RawSocket, { id, content }: AgentRequest) =>
  socket.send(JSON.stringify({ id, message: "", data: JSON.stringify({ content: `echo: ${content}` }) }));

const FRAMES_A_PHASE = 334;

test(`1,000 malformed frames of new, idle and busy agents hurt nobody but their senders (SEED=${seed})`, async () => {
  const scene = await startScene();
  scene.server.keepSecret(MARKER);
  const good = await scene.firefox();
  const random = createRandom(seed);
  let asks = 0;
  const ask = async () => {
    const content = `ask ${asks++}`;
    const { status, body } = await scene.ask({ content });
    return [status, body.content === `echo: ${content}`];
  };

  for (let count = 0; count < FRAMES_A_PHASE; count++) {
    const socket = await openRawSocket(`${scene.url}/client/register`);
    const { id } = JSON.parse((await socket.receive())?.text ?? "");
    const kind = sendMalformedFrame(socket, `${id} ${MARKER}`, random);
    void socket.receive();
    await settle(socket);
    socket.destroy();
    expect([kind, ...(await ask())]).toEqual([kind, 200, true]);
  }

  for (let count = 0; count < FRAMES_A_PHASE; count++) {
    const { socket, request } = await connectAgent(scene);
    const kind = sendMalformedFrame(socket, crypto.randomUUID(), random);
    void request.then((asked) => answer(socket, asked));
    const outcome = ask();
    await settle(socket);
    socket.destroy();
    expect([kind, ...(await outcome)]).toEqual([kind, 200, true]);
  }

  for (let count = 0; count < FRAMES_A_PHASE; count++) {
    const { socket, request } = await connectAgent(scene);
    const outcomes = [ask(), ask()];
    const asked = await request;
    const kind = sendMalformedFrame(socket, asked.id, random);
    answer(socket, asked);
    await settle(socket);
    socket.destroy();
    for (const outcome of outcomes) expect([kind, ...(await outcome)]).toEqual([kind, 200, true]);
  }

  await until(async () => (await scene.connections()).length === 1);
  expect((await scene.connections()).map(({ Id }) => Id)).toEqual([good.id]);
  await expectWorking(scene);
});
