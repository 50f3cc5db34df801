import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readEvents } from "../support/event-reader.ts";
import { startExecutable } from "../support/executable.ts";
import { hasSmallDisk, makeSmallDisk, SMALL_DISK_ADVICE } from "../support/small-disk.ts";
import { until } from "../support/until.ts";
import {
  type AskFrame,
  connectV2Agent,
  messagesOf,
  streamPieces,
  V2_HELLO,
  type V2Agent,
} from "../support/v2-agent.ts";

type Json = Record<string, unknown>;

const ADMIN_KEY = "admin-key-for-the-tests-of-a-full-disk";
const ENDPOINTS = ["chat/completions", "audio/transcriptions"];
const HELLO = { ...V2_HELLO, slots: 50, endpoints: ENDPOINTS, capabilities: ["bytes"] };
const UPLOAD_BYTES = 600_000;

/** Answers with the number of the messages, and hears uploads to their end. */
async function onAsk(frame: AskFrame, agent: V2Agent) {
  const { ask, stream, upload } = frame;
  if (upload) {
    agent.say({ type: "accept", ask });
    const heard = () =>
      agent.pieces.reduce((sum, piece) => sum + (piece.ask === ask ? piece.bytes.length : 0), 0);
    await until(() => heard() === upload.bytes);
    agent.say({ type: "done", ask, status: 200, body: '{"text":"heard"}' });
    return;
  }
  const content = String(messagesOf(frame).length);
  if (stream) return streamPieces(agent, ask, [content]);
  const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }];
  agent.say({ type: "accept", ask });
  agent.say({ type: "done", ask, status: 200, body: JSON.stringify({ object: "chat.completion", choices }) });
}

async function start(data: string) {
  const server = await startExecutable({ args: ["0", ADMIN_KEY, "--responses-days", "7"], data });
  const agent = await connectV2Agent(server.url, { hello: HELLO, onAsk });
  const request = async (method: string, path: string, body?: object) => {
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      ...(body && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };
  const post = (path: string, body: object) => request("POST", path, body);
  return {
    ...{ server, agent, post },
    get: (path: string) => request("GET", path),
    ask: (content: string, conversation_id?: unknown) => post("/api/ask", { content, conversation_id }),
    respond: (body: object) => post("/v1/responses", { model: "m", input: "q", ...body }),
    events: async (path: string) => {
      const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      return readEvents(response);
    },
    upload() {
      const form = new FormData();
      form.set("model", "m");
      form.set("file", new File([new Uint8Array(UPLOAD_BYTES)], "a.wav"));
      return post("/v1/audio/transcriptions", form);
    },
  };
}

type Running = Awaited<ReturnType<typeof start>>;

/** Returns how often a message of the conversation was sent: the answer to its next question. */
const lengthOf = async ({ ask }: Running, conversation: unknown) =>
  (await ask("q", conversation)).body["content"];

const textOf = ({ body }: { body: Json }): unknown =>
  (body["output"] as { content: { text: string }[] }[] | undefined)?.[0]?.content[0]?.text;

async function completed({ get }: Running, id: unknown): Promise<void> {
  await until(async () => (await get(`/v1/responses/${id}`)).body["status"] === "completed");
}

/** Asks in each way while the disk is full. Returns the conversation, and the responses. */
async function askOnFullDisk(
  running: Running,
  old: { conversation: unknown; response: unknown; kept: unknown },
) {
  const { ask, respond, post, get, events, upload, server } = running;
  expect((await ask("q", old.conversation)).status).toBe(200);
  const first = await ask("q");
  const { conversation_id: conversation, response_id: turn } = first.body;
  expect(first.status).toBe(200);
  expect((await ask("q", conversation)).body["content"]).toBe("3");
  expect(
    (await post("/api/ask", { content: "q", conversation_id: conversation, parent_id: turn })).body[
      "content"
    ],
  ).toBe("3");
  const response = await respond({});
  expect(response.status).toBe(200);
  for (const previous_response_id of [old.response, response.body["id"]])
    expect(textOf(await respond({ previous_response_id }))).toBe("3");
  const begun = await respond({ background: true });
  expect(begun.status).toBe(200);
  await completed(running, begun.body["id"]);
  const resumed = await events(`/v1/responses/${begun.body["id"]}?stream=true&starting_after=2`);
  expect(resumed.at(-1)?.event).toBe("response.completed");
  expect(textOf(await respond({ conversation: old.kept }))).toBe("1");
  expect(await post("/v1/conversations", {})).toMatchObject({
    status: 503,
    body: { error: { code: "database_away", message: expect.stringContaining("disk is full") } },
  });
  expect(await upload()).toMatchObject({
    status: 503,
    body: { error: { message: expect.stringContaining("The server cannot store the form") } },
  });
  expect(await get("/ready")).toMatchObject({
    status: 503,
    body: { reasons: ["the database cannot be written"] },
  });
  expect(readdirSync(join(server.data, "uploads"))).toEqual([]);
  return { conversation, response: response.body["id"], background: begun.body["id"] };
}

const title =
  "a server whose disk is full goes on with what it has in memory, and writes it when there is room";

test.skipIf(!hasSmallDisk)(hasSmallDisk ? title : `${title} ${SMALL_DISK_ADVICE}`, async () => {
  const disk = makeSmallDisk();
  const data = join(disk.path, "data");
  const first = await start(data);
  const { body: asked } = await first.ask("q");
  const { body: response } = await first.respond({});
  const { body: kept } = await first.post("/v1/conversations", {});
  expect((await first.upload()).body).toEqual({ text: "heard" });
  const old = { conversation: asked["conversation_id"], response: response["id"], kept: kept["id"] };
  disk.fill();
  const made = [];
  for (let round = 0; round < 3; round++) {
    made.push(await askOnFullDisk(first, old));
    disk.fill();
  }
  disk.empty();
  await until(async () => (await first.get("/ready")).status === 200);
  expect((await first.upload()).body).toEqual({ text: "heard" });
  expect((await first.post("/v1/conversations", {})).status).toBe(200);
  expect(textOf(await first.respond({ conversation: old.kept }))).toBe("1");
  for (const { conversation } of made) expect(await lengthOf(first, conversation)).toBe("5");
  first.agent.stop();
  first.server.kill();
  await first.server.exited;

  const second = await start(data);
  expect(textOf(await second.respond({ conversation: old.kept }))).toBe("3");
  expect(await lengthOf(second, old.conversation)).toBe("9");
  for (const { conversation, response, background } of made) {
    expect(await lengthOf(second, conversation)).toBe("7");
    for (const id of [response, background]) await completed(second, id);
    expect(textOf(await second.respond({ previous_response_id: response }))).toBe("3");
  }
  second.agent.stop();
});
