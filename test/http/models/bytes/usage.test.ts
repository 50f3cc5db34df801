import { expect, test } from "bun:test";
import { startModelScene } from "../../../support/model-scene.ts";
import { readCsv } from "../../../support/read-csv.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { addLimitedUser } from "../../../support/user-caller.ts";
import { V2_HELLO, type V2Agent } from "../../../support/v2-agent.ts";

const HELLO = {
  ...V2_HELLO,
  endpoints: ["audio/transcriptions", "audio/speech", "images/generations", "rerank"],
  capabilities: ["bytes"],
};
const NO_MEDIA = {
  ...{ audio_seconds: null, images: null, search_units: null, input_bytes: null, output_bytes: null },
};
const BEGUN = { status: 200, content_type: "application/json" };

async function startScene() {
  const scene = await startModelScene({ hello: HELLO }, ["--drain", "0s"]);
  const { url } = scene.server;
  const user = await addLimitedUser(url, { name: "Ann" });
  const post = (path: string, body: FormData | object) =>
    Bun.fetch(`${url}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${user.token}` },
      body: body instanceof FormData ? body : JSON.stringify(body),
    });
  const read = async (path: string, key = ADMIN_KEY) =>
    (await fetch(url + path, { headers: { authorization: `Bearer ${key}` } })).text();
  const last = async () => JSON.parse(await read("/admin/requests?limit=1")).requests[0];
  return { ...scene, post, read, last, user };
}

const form = (bytes: number): FormData => {
  const made = new FormData();
  made.set("model", "m");
  made.set("file", new File([new Uint8Array(bytes)], "a.wav"));
  return made;
};

const done = (agent: V2Agent, ask: string, body?: object) =>
  agent.say({ type: "done", ask, status: 200, ...(body && { body: JSON.stringify(body) }) });

test("each request for audio, images or a ranking has its seconds, images, units and bytes in the records", async () => {
  const { agent, post, last, read, server, user } = await startScene();
  const heard = post("audio/transcriptions", form(10_000));
  const { ask, upload } = await agent.next("ask");
  const text = { text: "hi", usage: { type: "duration", seconds: 8.47 } };
  done(agent, ask, text);
  await (await heard).text();
  const sizes = { input_bytes: upload?.bytes, output_bytes: JSON.stringify(text).length };
  expect(sizes.input_bytes).toBeGreaterThan(10_000);
  expect(await last()).toMatchObject({ ...NO_MEDIA, prompt_tokens: null, audio_seconds: 8.47, ...sizes });

  const drawn = post("images/generations", { model: "m", prompt: "A hub" });
  const image = await agent.next("ask");
  agent.say({ type: "head", ask: image.ask, ...BEGUN });
  const answer = { data: [{ b64_json: "x".repeat(70_000) }, { b64_json: "y" }], usage: { input_tokens: 5 } };
  const bytes = new TextEncoder().encode(JSON.stringify(answer));
  for (let at = 0; at < bytes.byteLength; at += 30_000)
    agent.sayPiece({ ask: image.ask, bytes: bytes.subarray(at, at + 30_000) });
  done(agent, image.ask);
  await (await drawn).text();
  expect(await last()).toMatchObject({
    ...NO_MEDIA,
    ...{ prompt_tokens: 5, images: 2, input_bytes: image.body.length, output_bytes: bytes.byteLength },
  });

  const ranked = post("rerank", { model: "m", query: "q", documents: ["a"] });
  done(agent, (await agent.next("ask")).ask, { results: [], meta: { billed_units: { search_units: 3 } } });
  await (await ranked).text();
  expect(await last()).toMatchObject({ ...NO_MEDIA, search_units: 3, tokens_estimated: true });

  const total = {
    ...{ asks: 3, audio_seconds: 8.47, images: 2, search_units: 3 },
    input_bytes: (sizes.input_bytes ?? 0) + image.body.length,
    output_bytes: sizes.output_bytes + bytes.byteLength,
  };
  expect(JSON.parse(await read("/admin/usage?by="))).toMatchObject({ usage: [total] });
  expect(JSON.parse(await read("/api/usage?by=", user.token))).toMatchObject({ usage: [total] });
  const [columns = [], values = []] = readCsv(await read("/admin/usage?by=&format=csv"));
  expect(values[columns.indexOf("audio_seconds")]).toBe("8.47");
  expect(values[columns.indexOf("output_bytes")]).toBe(String(total.output_bytes));
  const [names = [], newest = []] = readCsv(await read("/api/requests?format=csv", user.token));
  expect(newest[names.indexOf("search_units")]).toBe("3");
  expect(server.logged()).toContain('"audio_ms":8470,"input_bytes":');
});

test("a request that fails has the bytes that passed, and one that no agent got has none", async () => {
  const { agent, post, last } = await startScene();
  const spoken = post("audio/speech", { model: "m", input: "Hello", voice: "a" });
  const { ask, body } = await agent.next("ask");
  agent.say({ type: "head", ask, status: 200, content_type: "audio/mpeg" });
  agent.sayPiece({ ask, bytes: new Uint8Array(1_000) });
  agent.say({ type: "fail", ask, error: { message: "broke" }, retryable: true });
  await spoken.then((response) => response.bytes()).catch(() => {});
  const broken = { outcome: "agent_failed", input_bytes: body.length, output_bytes: 1_000, images: null };
  expect(await last()).toMatchObject(broken);

  const refused = post("audio/transcriptions", form(500));
  const { upload, ask: second } = await agent.next("ask");
  agent.say({
    type: "done",
    ask: second,
    status: 400,
    body: '{"error":{"message":"no audio"},"duration":5}',
  });
  expect((await refused).status).toBe(400);
  const nothing = { ...NO_MEDIA, input_bytes: upload?.bytes, output_bytes: 0 };
  expect(await last()).toMatchObject({ outcome: "ok", upstream_status: 400, ...nothing });

  const unknown = form(500);
  unknown.set("model", "unknown");
  expect((await post("audio/transcriptions", unknown)).status).toBe(404);
  expect(await last()).toMatchObject({ upstream_status: 400, ...nothing });
});
