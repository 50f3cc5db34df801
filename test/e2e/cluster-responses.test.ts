import { expect, test } from "bun:test";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { addUser } from "../support/database-server.ts";
import { type ReadEvent, readEvents, sequenceOf, withoutChance } from "../support/event-reader.ts";
import type { Executable } from "../support/executable.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { until } from "../support/until.ts";
import { chunk, connectV2Agent, V2_HELLO, type V2Agent } from "../support/v2-agent.ts";

type Json = Record<string, unknown>;

const PIECES = Array.from({ length: 30 }, (_, index) => `piece ${index} `);
const seed = chooseSeed();

/** Two nodes with a user, and an agent at `a` that answers each request when the test says so. */
async function scene(args: readonly string[]) {
  const [a, b] = (await startNodes(["a", "b"], args)) as [Executable, Executable];
  const { token } = await addUser(a);
  const other = (await addUser(a)).token;
  const request = async (node: Executable, path: string, init: RequestInit = {}, by = token) =>
    fetch(`${node.url}/v1/${path}`, { ...init, headers: { authorization: `Bearer ${by}` } });
  const get = (node: Executable, path: string, by = token) => request(node, path, {}, by);
  const post = (node: Executable, path: string, body: object, init: RequestInit = {}, by = token) =>
    request(node, path, { method: "POST", body: JSON.stringify(body), ...init }, by);
  const jsonOf = async (response: Promise<Response>) => (await (await response).json()) as Json;
  const answers: ReturnType<typeof answerOf>[] = [];
  await connectV2Agent(a.url, {
    hello: V2_HELLO,
    onAsk: ({ ask, body }, agent) => {
      const answer = answerOf(ask, agent);
      if (body.includes("wait")) answers.push(answer);
      else answer.finish(body.includes("count") ? [String(JSON.parse(body).messages.length)] : PIECES);
    },
  });
  for (const node of [a, b])
    await until(async () => ((await jsonOf(get(node, "models")))["data"] as unknown[])?.length === 1);
  /** Resolves with the answer that waits. */
  async function held() {
    await until(async () => answers.length > 0);
    const [answer] = answers.splice(0);
    if (!answer) throw new Error("the agent got nothing");
    return answer;
  }
  return {
    ...{ a, b, get, post, jsonOf, other },
    delete: (node: Executable, path: string) => request(node, path, { method: "DELETE" }),
    held,
    /** Begins a response in the background that waits, and returns its id with its answer. */
    async begin(body: object = {}) {
      const asked = { model: "m", input: "wait", background: true, ...body };
      const begun = await jsonOf(post(a, "responses", asked));
      return { id: String(begun["id"]), answer: await held() };
    },
  };
}

function answerOf(ask: string, agent: V2Agent) {
  agent.say({ type: "accept", ask });
  const write = (pieces: readonly string[]) => {
    for (const piece of pieces) agent.say({ type: "delta", ask, data: chunk(piece) });
  };
  return {
    write,
    finish(pieces: readonly string[]) {
      write(pieces);
      agent.say({ type: "delta", ask, data: "[DONE]" });
      agent.say({ type: "done", ask, status: 200 });
    },
  };
}

const lastOf = (events: readonly ReadEvent[]): Json => JSON.parse(events.at(-1)?.data ?? "").response;
const idOf = ([first]: readonly ReadEvent[]): string => JSON.parse(first?.data ?? "").response.id;

const SETTINGS: [string, string[]][] = [
  ["stored", ["--responses-days", "7"]],
  ["in memory", []],
];

describeWithCluster("responses in a cluster", () => {
  test.each(SETTINGS)(
    "another node reads, resumes and continues a response that has ended (%s)",
    async (_, args) => {
      const { a, b, get, post, jsonOf, delete: remove, other } = await scene(args);
      const stream = { model: "m", stream: true };
      const whole = await readEvents(await post(a, "responses", { ...stream, input: "q1" }));
      const id = idOf(whole);
      expect(await jsonOf(get(b, `responses/${id}`))).toEqual(lastOf(whole));
      expect(await readEvents(await get(b, `responses/${id}?stream=true&starting_after=3`))).toEqual(
        whole.slice(4),
      );
      expect((await get(b, `responses/${id}`, other)).status).toBe(404);
      const items = [{ type: "item_reference", id: (lastOf(whole)["output"] as Json[])[0]?.["id"] }];
      const asked = [...items, { role: "user", content: "count" }];
      const texts = [];
      for (const body of [{ input: "count", previous_response_id: id }, { input: asked }]) {
        const next = await readEvents(await post(b, "responses", { ...stream, ...body }));
        texts.push(lastOf(next)["output"]);
      }
      expect(texts).toMatchObject([[{ content: [{ text: "3" }] }], [{ content: [{ text: "2" }] }]]);
      // The copy for the follow-ups is deleted, too.
      expect(await jsonOf(remove(a, `responses/${id}`))).toMatchObject({ deleted: true });
      for (const node of [b, a]) {
        expect((await get(node, `responses/${id}`)).status).toBe(404);
        for (const body of [{ input: "count", previous_response_id: id }, { input: asked }])
          expect((await post(node, "responses", { ...stream, ...body })).status).toBe(400);
        expect((await remove(node, `responses/${id}`)).status).toBe(404);
      }
    },
  );

  test.each(SETTINGS)(
    `a response in the background is followed, read and cancelled at another node (%s, seed ${seed})`,
    async (_, args) => {
      const random = createRandom(seed);
      const { a, b, get, post, jsonOf, begin, delete: remove, other } = await scene(args);
      const path = (id: string, after?: number) =>
        `responses/${id}?stream=true${after === undefined ? "" : `&starting_after=${after}`}`;
      const { id, answer } = await begin({ stream: false });
      expect(await jsonOf(get(b, `responses/${id}`))).toMatchObject({ id, status: "in_progress" });
      const early = await jsonOf(post(b, "responses", { model: "m", input: "q", previous_response_id: id }));
      expect(early["error"]).toMatchObject({
        code: "previous_response_not_found",
        message: expect.stringContaining("the response has not ended yet"),
      });
      const following = [get(a, path(id)), get(b, path(id)), get(b, path(id, 2))];
      const streams = await Promise.all(following);
      expect((await get(b, path(id), other)).status).toBe(404);
      expect((await post(b, `responses/${id}/cancel`, {}, {}, other)).status).toBe(404);
      const reading = Promise.all(streams.map((stream) => readEvents(stream)));
      answer.write(PIECES.slice(0, 10));
      await Bun.sleep(20);
      answer.finish(PIECES.slice(10));
      const [whole = [], same, rest] = await reading;
      expect(whole.length).toBeGreaterThan(PIECES.length);
      expect(same).toEqual(whole);
      expect(rest).toEqual(whole.slice(3));
      for (let count = 0; count < 30; count++) {
        const at = random.below(whole.length);
        const after = sequenceOf(whole[at] as ReadEvent);
        expect(await readEvents(await get(b, path(id, after)))).toEqual(whole.slice(at + 1));
      }
      expect(await jsonOf(post(b, `responses/${id}/cancel`, {}))).toEqual(lastOf(whole));

      const second = await begin();
      second.answer.write(["half"]);
      const cut = readEvents(await get(b, path(second.id)));
      expect(await jsonOf(post(b, `responses/${second.id}/cancel`, {}))).toMatchObject({
        status: "cancelled",
      });
      expect(lastOf(await cut)).toMatchObject({ status: "cancelled" });
      expect(await jsonOf(get(b, `responses/${second.id}`))).toMatchObject({ status: "cancelled" });

      const third = await begin();
      const ended = readEvents(await get(a, path(third.id)));
      expect(await jsonOf(remove(b, `responses/${third.id}`))).toMatchObject({ deleted: true });
      await ended;
      for (const node of [a, b]) expect((await get(node, `responses/${third.id}`)).status).toBe(404);
    },
  );

  test("a stream that was cut in mid-answer goes on at another node, with the events to come", async () => {
    const { a, b, get, post, held } = await scene([]);
    const stream = { model: "m", stream: true, input: "wait" };
    const asked = post(a, "responses", stream);
    (await held()).finish(PIECES);
    const whole = withoutChance(await readEvents(await asked));
    for (const wanted of [1, 4, 9, 20]) {
      const connection = new AbortController();
      const cut = post(a, "responses", stream, { signal: connection.signal });
      const answer = await held();
      answer.write(PIECES.slice(0, 20));
      const before = await readEvents(await cut, wanted, () => connection.abort());
      const last = before.at(-1);
      const after = last ? sequenceOf(last) : -1;
      const resumed = await get(b, `responses/${idOf(before)}?stream=true&starting_after=${after}`);
      answer.finish(PIECES.slice(20));
      expect(withoutChance([...before, ...(await readEvents(resumed))])).toEqual(whole);
    }
  });

  test("a response whose node is killed fails at the others, and so does its stream", async () => {
    const { a, b, get, post, jsonOf, begin } = await scene(["--responses-days", "7"]);
    const { id, answer } = await begin();
    answer.write(["half"]);
    await until(async () => (await get(b, `responses/${id}`)).status === 200);
    const reading = readEvents(await get(b, `responses/${id}?stream=true`));
    a.kill("SIGKILL");
    const events = await reading;
    expect(events.map(sequenceOf)).toEqual(events.map((_, index) => index));
    const failed = { id, status: "failed", error: { code: "server_error" } };
    expect(lastOf(events)).toMatchObject(failed);
    await until(async () => (await jsonOf(get(b, `responses/${id}`)))["status"] === "failed");
    expect(await jsonOf(get(b, `responses/${id}`))).toMatchObject(failed);
    expect(await jsonOf(post(b, `responses/${id}/cancel`, {}))).toMatchObject(failed);
    expect((await get(b, `responses/${id}?stream=true`)).status).toBe(409);
    const late = await jsonOf(post(b, "responses", { model: "m", input: "q", previous_response_id: id }));
    expect(late["error"]).toMatchObject({ message: expect.stringContaining("has failed") });
  }, 120_000);
});
