import { expect, test } from "bun:test";
import { readEvents, sequenceOf } from "../support/event-reader.ts";
import { type Executable, startExecutable } from "../support/executable.ts";
import { describeWithPostgres, newDatabase } from "../support/postgres.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { newDataFolder } from "../support/store.ts";
import { chunk, connectV2Agent, streamPieces, type V2AgentOptions } from "../support/v2-agent.ts";

const ADMIN_KEY = "admin-key-for-the-tests-of-stored-responses";
const PIECES = Array.from({ length: 30 }, (_, index) => `piece ${index} `);
const seed = chooseSeed();

const postOf =
  ({ url }: Executable) =>
  async (path: string, body: object, init: RequestInit = {}) =>
    fetch(`${url}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify(body),
      ...init,
    });

const getOf =
  ({ url }: Executable) =>
  async (path: string) =>
    fetch(`${url}/v1/${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });

const jsonOf = async (response: Promise<Response>) =>
  (await (await response).json()) as Record<string, unknown>;

/** Returns the response at the end of a stream. */
async function lastOf(response: Promise<Response>): Promise<Record<string, unknown>> {
  return JSON.parse((await readEvents(await response)).at(-1)?.data ?? "").response;
}

/** Starts servers one after the other on the same data, each with an agent. */
function servers(database: string | undefined) {
  const data = newDataFolder();
  const place = database === undefined ? [] : ["--database", database];
  return async (onAsk: V2AgentOptions["onAsk"], flags = ["--responses-days", "7"]) => {
    const server = await startExecutable({ args: ["0", ADMIN_KEY, ...place, ...flags], data });
    const agent = await connectV2Agent(server.url, { ...(onAsk && { onAsk }) });
    const stop = async () => {
      agent.stop();
      server.kill();
      await server.exited;
    };
    return { server, agent, stop, post: postOf(server), get: getOf(server) };
  };
}

function testStored(kind: string, place: () => Promise<string | undefined>): void {
  test(`a stream is resumed at any event after a restart (${kind}, seed ${seed})`, async () => {
    const random = createRandom(seed);
    const start = servers(await place());
    const first = await start(({ ask }, agent) => streamPieces(agent, ask, PIECES));
    const body = { model: "m", input: "q", stream: true };
    const whole = await readEvents(await first.post("responses", body));
    const { id } = JSON.parse(whole[0]?.data ?? "").response;
    await first.stop();

    const second = await start(({ ask, body }, agent) =>
      streamPieces(agent, ask, [String(JSON.parse(body).messages.length)]),
    );
    for (let count = 0; count < 50; count++) {
      const at = random.below(whole.length);
      const after = sequenceOf(whole[at] ?? { event: "", data: "" });
      const rest = await second.get(`responses/${id}?stream=true&starting_after=${after}`);
      expect(await readEvents(rest)).toEqual(whole.slice(at + 1));
    }
    expect(await readEvents(await second.get(`responses/${id}?stream=true`))).toEqual(whole);
    const last = JSON.parse(whole.at(-1)?.data ?? "").response;
    expect(await jsonOf(second.get(`responses/${id}`))).toEqual(last);

    const item = last.output[0].id;
    const next = {
      ...body,
      input: [
        { type: "item_reference", id: item },
        { role: "user", content: "q2" },
      ],
    };
    expect(await lastOf(second.post("responses", next))).toMatchObject({
      output: [{ content: [{ text: "2" }] }],
    });
    const continued = { ...body, input: "q2", previous_response_id: id };
    expect(await lastOf(second.post("responses", continued))).toMatchObject({
      output: [{ content: [{ text: "3" }] }],
    });
    await second.stop();
  });

  test(`a conversation outlives a restart, and a response in the background fails by one (${kind})`, async () => {
    const start = servers(await place());
    const first = await start(({ ask, body }, agent) => {
      if (body.includes("never")) agent.say({ type: "accept", ask });
      else streamPieces(agent, ask, PIECES);
    });
    const conversation = await jsonOf(first.post("conversations", {}));
    const running = await jsonOf(first.post("responses", { model: "m", input: "never", background: true }));
    const turn = { model: "m", input: "q", stream: true, conversation: conversation["id"] };
    expect(await lastOf(first.post("responses", turn))).toMatchObject({ status: "completed" });
    const late = await jsonOf(first.post("responses", { model: "m", input: "never", background: true }));
    first.server.kill("SIGKILL");
    await first.server.exited;

    const second = await start(() => {});
    const { data } = await jsonOf(second.get(`conversations/${conversation["id"]}/items?order=asc`));
    expect(data).toMatchObject([{ role: "user" }, { role: "assistant" }]);
    const failed = { status: "failed", error: { code: "server_error" } };
    for (const { id } of [running, late])
      expect(await jsonOf(second.get(`responses/${id}`))).toMatchObject(failed);
    await second.stop();
  });
}

testStored("SQLite", async () => undefined);

describeWithPostgres("in PostgreSQL", () => testStored("PostgreSQL", newDatabase));

test("a response in the background fails clearly when the server stops before it has ended", async () => {
  const start = servers(undefined);
  const flags = ["--responses-days", "7", "--drain", "0s"];
  const first = await start(({ ask }, agent) => {
    agent.say({ type: "accept", ask });
    agent.say({ type: "delta", ask, data: chunk("half") });
  }, flags);
  const { id } = await jsonOf(first.post("responses", { model: "m", input: "q", background: true }));
  let status = "queued";
  while (status === "queued") status = String((await jsonOf(first.get(`responses/${id}`)))["status"]);
  expect(status).toBe("in_progress");
  first.server.kill();
  await first.server.exited;
  const second = await start(() => {}, flags);
  expect(await jsonOf(second.get(`responses/${id}`))).toMatchObject({
    id,
    status: "failed",
    error: { code: "server_draining" },
  });
  await second.stop();
});
