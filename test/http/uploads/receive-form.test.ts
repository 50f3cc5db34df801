import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { type AskFrame, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

const HELLO = { ...V2_HELLO, endpoints: ["audio/transcriptions"], capabilities: ["bytes"] };
const headers = { authorization: `Bearer ${ADMIN_KEY}` };

const answer = ({ ask }: AskFrame, agent: V2Agent) =>
  agent.say({ type: "done", ask, status: 200, body: '{"text":"fine"}' });

async function startScene(...flags: string[]) {
  const scene = await startModelScene({ hello: HELLO, onAsk: answer }, ["--upload-max", "1MB", ...flags]);
  const send = (body: FormData | string, more: Record<string, string> = {}) =>
    fetch(`${scene.server.url}/v1/audio/transcriptions`, {
      method: "POST",
      headers: { ...headers, ...more },
      body,
    });
  return { ...scene, send };
}

function formWith(bytes: number, ...models: string[]): FormData {
  const form = new FormData();
  for (const model of models) form.append("model", model);
  form.set("file", new File([new Uint8Array(bytes)], "a.wav"));
  return form;
}

test("a form over the limit is a 413, and nothing of it is left", async () => {
  const { send, server } = await startScene();
  expect((await send(formWith(1024 ** 2, "m"))).status).toBe(413);
  const chunked = new Response(formWith(1024 ** 2, "m"));
  const type = chunked.headers.get("content-type") ?? "";
  const refused = await fetch(`${server.url}/v1/audio/transcriptions`, {
    method: "POST",
    headers: { ...headers, "content-type": type },
    body: new Blob([await chunked.bytes()]).stream(),
  });
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    error: { message: expect.stringContaining("1048576 bytes") },
  });
  expect((await send(formWith(900_000, "m"))).status).toBe(200);
  expect(await readdir(join(server.data, "uploads"))).toEqual([]);
});

test("a body that is not a form, and one without a model or with two, is a 400 that says so", async () => {
  const { send } = await startScene();
  const errorOf = async (response: Response) => {
    const { error } = (await response.json()) as { error: { message: string; param: string | null } };
    return [response.status, error.message, error.param];
  };
  const says = (text: string) => expect.stringContaining(text);
  expect(await errorOf(await send('{"model":"m"}'))).toEqual([
    400,
    says("must be multipart/form-data"),
    null,
  ]);
  expect(await errorOf(await send(formWith(5)))).toEqual([400, says("model"), "model"]);
  expect(await errorOf(await send(formWith(5, "m", "m")))).toEqual([400, says("more than once"), "model"]);
  const packed = await send("--b--", {
    "content-type": "multipart/form-data; boundary=b",
    "content-encoding": "gzip",
  });
  expect(packed.status).toBe(415);
});

test("the forms of one user may have half of the room until their requests have ended", async () => {
  const { send, agent } = await startScene("--uploads-max", "1MB", "--drain", "0s");
  agent.say({ type: "pause" });
  const first = send(formWith(400_000, "m"));
  await until(async () => (await send(formWith(400_000, "m"))).status === 429);
  agent.say({ type: "update" });
  expect((await first).status).toBe(200);
  expect((await send(formWith(400_000, "m"))).status).toBe(200);
});

test("a form that cannot be stored is a 503 that may be sent again, and the log says why", async () => {
  const { send, server } = await startScene();
  await Bun.write(join(server.data, "uploads"), "not a folder");
  const refused = await send(formWith(900_000, "m"));
  expect([refused.status, refused.headers.has("retry-after")]).toEqual([503, true]);
  expect(await refused.json()).toMatchObject({
    error: { message: expect.stringContaining("The server cannot store the form") },
  });
  expect(server.logged()).toContain("EEXIST");
  expect((await send(formWith(1_000, "m"))).status).toBe(200);
});
