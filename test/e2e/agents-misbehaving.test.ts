import { beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { AGENT_SUBPROTOCOL } from "../../src/protocol/agent-v2.ts";
import { openRawSocket, type RawSocket } from "../support/raw-socket.ts";
import { type Scene, startScene, useScene } from "../support/scene.ts";
import { askStreamed } from "../support/stream-caller.ts";
import { chunk, connectV2Agent, streamPieces, V2_HELLO, type V2Agent } from "../support/v2-agent.ts";
import { encodeFrame, OPCODE } from "../support/websocket-frame.ts";

const REGISTER = "/client/register";
const V2 = { "Sec-WebSocket-Protocol": AGENT_SUBPROTOCOL };
/** Large enough for the long answer too, whose deltas together may be as long as a frame. */
const FRAME_MAX = 2 * 1024 ** 2;
const FLAGS = ["--hello-within", "3s", "--ping-every", "500ms", "--pong-within", "3s"];
/** The connection must end because it is congested, not because a pong is missing. */
const DEAF_FLAGS = [
  ...["--ping-every", "500ms", "--pong-within", "1m"],
  ...["--first-byte", "2s", "--reconnect-grace", "500ms"],
];
const SIZE = `${FRAME_MAX / 1024}KB`;

/** Resolves with the next frame that is not a ping; undefined once the connection has ended. */
async function next(socket: RawSocket) {
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) return undefined;
    const frame = JSON.parse(message.text);
    if (frame.type !== "ping") return frame;
  }
}

/** Reads to the end without answering, and resolves with the close code. */
async function endOf(socket: RawSocket): Promise<number> {
  while (await socket.receive());
  return (await socket.ended).code;
}

describe("an agent that misbehaves does not disturb the others and their callers", () => {
  const scene = useScene([...FLAGS, "--frame-max", SIZE, "--first-byte", "3s"]);
  const say = (socket: RawSocket, frame: object | string) =>
    socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));

  const raw = () => openRawSocket(`${scene.url}${REGISTER}`, { headers: V2 });
  const registered = async (hello: object = {}) => {
    const socket = await raw();
    scene.after(socket.destroy);
    say(socket, { ...V2_HELLO, ...hello });
    return { socket, ready: await next(socket) };
  };
  const ask = (model: string, content = "hello") =>
    askStreamed(scene.url, "/api/ask", { key: scene.adminKey, body: { model, content } });

  // A good agent streams one long answer from the first of these tests to the last.
  const WORDS = ["naïve ", "日本語 ", "👩‍🔬\n\n", "data: x\r\n", '"\\" '];
  const sent: string[] = [];
  let longStream: ReturnType<typeof ask>;
  let streaming = true;

  const serve = async ({ ask: id, body }: { ask: string; body: string }, agent: V2Agent) => {
    if (JSON.parse(body).model === "shared") return streamPieces(agent, id, ["from ", "the good one"]);
    for (let at = 0; streaming; at++) {
      const piece = `${at} ${WORDS[at % WORDS.length]}`;
      agent.say({ type: "delta", ask: id, data: chunk(piece) });
      sent.push(piece);
      await Bun.sleep(5);
    }
    streamPieces(agent, id, ["end"]);
  };

  beforeAll(async () => {
    const hello = { ...V2_HELLO, models: [{ id: "good" }, { id: "shared" }] };
    await connectV2Agent(scene.url, { hello, onAsk: serve });
    longStream = askStreamed(scene.url, "/api/ask", {
      key: scene.adminKey,
      body: { model: "good", content: "long" },
      limitMs: 600_000,
    });
  });

  test("an agent without a hello is closed with 4002; one that answers no ping is closed with 4001, and its ask goes to another", async () => {
    const mute = await raw();
    expect(await endOf(mute)).toBe(4002);
    const { socket } = await registered({ models: [{ id: "shared" }], slots: 1024 });
    const asked = ask("shared");
    expect(await endOf(socket)).toBe(4001);
    const { how, text } = await asked;
    expect([how, text]).toEqual(["whole", "from the good one"]);
  });

  test("an ask that an agent does not answer in time is cancelled there and goes to another agent", async () => {
    const { socket } = await registered({ models: [{ id: "shared" }], slots: 1024 });
    const asked = ask("shared");
    const seen: string[] = [];
    while (!seen.includes("cancel")) {
      const frame = JSON.parse((await socket.receive())?.text ?? "null");
      seen.push(frame.type);
      if (frame.type === "ping") say(socket, { type: "pong" });
    }
    expect(seen.filter((type) => type !== "ping")).toEqual(["ask", "cancel"]);
    const { how, text } = await asked;
    expect([how, text]).toEqual(["whole", "from the good one"]);
  });

  test("a flood of unexpected frames of any type is closed with 4003", async () => {
    for (const frame of [
      { type: "delta", ask: crypto.randomUUID(), data: "x".repeat(1000) },
      { type: "done", ask: crypto.randomUUID(), status: 200 },
      { type: "fail", ask: crypto.randomUUID(), error: { message: "no" }, retryable: true },
      { type: "pong" },
      { type: "surprise" },
    ]) {
      const { socket } = await registered();
      const bytes = encodeFrame(JSON.stringify(frame));
      socket.sendBytes(Buffer.concat(Array.from({ length: 1000 }, () => bytes)));
      expect([frame.type, await endOf(socket)]).toEqual([frame.type, 4003]);
    }
  });

  test("a frame that is too large, also in fragments, is closed with 1009 before it is complete", async () => {
    const { socket } = await registered();
    socket.sendBytes(encodeFrame("x".repeat(FRAME_MAX + 1)).subarray(0, 1000));
    expect(await endOf(socket)).toBe(1009);
    const other = await registered();
    other.socket.sendFragments(["x".repeat(FRAME_MAX - 10), "x".repeat(1000), "x"]);
    expect(await endOf(other.socket)).toBe(1009);
  });

  test("an invalid frame is closed with 4006, an invalid hello with 4501, and a breach of WebSocket ends the connection", async () => {
    const id = crypto.randomUUID();
    for (const frame of [
      "no JSON",
      "null",
      "[]",
      { type: "delta", ask: id },
      { type: "done", ask: id, status: "200" },
      { type: "done", ask: id, status: 200, body: {} },
      { type: "fail", ask: id, retryable: true },
      { type: "update", slots: 0 },
      { type: "update", models: [{ id: "" }] },
    ]) {
      const { socket } = await registered();
      say(socket, frame);
      expect([frame, await endOf(socket)]).toEqual([frame, 4006]);
    }
    for (const hello of [
      { ...V2_HELLO, slots: 1025 },
      { ...V2_HELLO, models: undefined },
      { ...V2_HELLO, name: "" },
      { type: "accept", ask: id },
      "no JSON",
    ]) {
      const socket = await raw();
      say(socket, hello);
      expect([hello, await endOf(socket)]).toEqual([hello, 4501]);
    }
    for (const bytes of [
      encodeFrame("{}", { masked: false }),
      encodeFrame("{}", { reserved: 4 }),
      encodeFrame("{}", { opcode: OPCODE.continuation }),
      encodeFrame(new Uint8Array([0xff, 0xfe, 0x80])),
    ]) {
      const { socket } = await registered();
      socket.sendBytes(bytes);
      expect([1002, 1006, 1007]).toContain(await endOf(socket));
    }
    const { socket } = await registered();
    say(socket, V2_HELLO);
    expect(await endOf(socket)).toBe(4005);
  });

  test("an answer to another agent's ask is ignored, and so is a second answer", async () => {
    const [one, thief] = [await registered({ models: [{ id: "own" }] }), await registered()];
    const asked = ask("own");
    const { ask: id } = await next(one.socket);
    for (const frame of [
      { type: "accept", ask: id },
      { type: "delta", ask: id, data: chunk("stolen") },
      { type: "done", ask: id, status: 200 },
      { type: "fail", ask: id, error: { message: "stolen" }, retryable: false },
    ])
      say(thief.socket, frame);
    const taken = thief.socket.ping();
    void thief.socket.receive();
    expect(await taken).toBe(true);
    say(one.socket, { type: "delta", ask: id, data: chunk("own") });
    say(one.socket, { type: "done", ask: id, status: 200 });
    say(one.socket, { type: "delta", ask: id, data: chunk(" again") });
    say(one.socket, { type: "done", ask: id, status: 200 });
    say(one.socket, { type: "fail", ask: id, error: { message: "after all" }, retryable: true });
    const { how, text } = await asked;
    expect([how, text]).toEqual(["whole", "own"]);
  });

  test("an identity is taken back only with its secret, and the older connection is closed with 4500", async () => {
    const first = await registered();
    const { agent, resume } = first.ready;
    for (const wrong of ["", "x".repeat(resume.length), resume.slice(1), `${resume}0`]) {
      const { ready } = await registered({ agent, resume: wrong });
      expect(ready.agent).not.toBe(agent);
    }
    const again = await registered({ agent, resume });
    expect([again.ready.agent, await endOf(first.socket)]).toEqual([agent, 4500]);
  });

  test("the long answer that a good agent streamed meanwhile is byte-exact", async () => {
    streaming = false;
    const { how, text } = await longStream;
    expect(how).toBe("whole");
    expect(sent.length).toBeGreaterThan(1000);
    expect(text).toBe(`${sent.join("")}end`);
  });
});

/** Registers and then stops reading, so that frames for it stay in the buffers. */
async function connectDeaf(scene: Scene, models: string[]): Promise<Socket> {
  const socket = connect({ port: scene.server.port, host: "127.0.0.1" });
  scene.after(() => socket.destroy());
  const key = Buffer.alloc(16).toString("base64");
  const lines = [
    `GET ${REGISTER} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    `Authorization: Bearer ${scene.agentKey}`,
    `Sec-WebSocket-Protocol: ${AGENT_SUBPROTOCOL}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await once(socket, "data");
  socket.write(
    encodeFrame(JSON.stringify({ ...V2_HELLO, slots: 100, models: models.map((id) => ({ id })) })),
  );
  await once(socket, "data");
  socket.pause();
  return socket;
}

test("an agent that stops reading delays nobody, and is closed once its socket has been full for the time limit", async () => {
  const scene = await startScene({ flags: DEAF_FLAGS });
  const deaf = await connectDeaf(scene, ["big"]);
  const content = "x".repeat(900_000);
  const asks = Array.from({ length: 30 }, () =>
    askStreamed(scene.url, "/api/ask", { key: scene.adminKey, body: { model: "big", content } }),
  );
  await Bun.sleep(300);

  const good = await openRawSocket(`${scene.url}${REGISTER}`, { headers: V2 });
  scene.after(good.destroy);
  good.send(JSON.stringify({ ...V2_HELLO, models: [{ id: "small" }] }));
  expect((await next(good)).type).toBe("ready");
  const quick = askStreamed(scene.url, "/api/ask", {
    key: scene.adminKey,
    body: { model: "small", content: "hi" },
  });
  const { ask } = await next(good);
  good.send(JSON.stringify({ type: "delta", ask, data: chunk("quick") }));
  good.send(JSON.stringify({ type: "done", ask, status: 200 }));
  expect((await quick).text).toBe("quick");

  const endings = await Promise.all(asks);
  const others = endings.filter(({ how, status }) => how !== "refused" || status < 502 || status > 504);
  expect(others.map(({ how, status }) => [how, status])).toEqual([]);
  await scene.server.output(/"event":"agent_left".*"reason":"frames_dropped"/);
  expect(await scene.connections()).toHaveLength(1);
  expect(deaf.bytesRead).toBeLessThan(30 * content.length);
});
