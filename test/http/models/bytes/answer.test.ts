import { expect, onTestFinished, test } from "bun:test";
import { type Piece, WINDOW_BYTES } from "../../../../src/protocol/bytes/window.ts";
import { type ModelScene, startModelScene } from "../../../support/model-scene.ts";
import { rejectionOf } from "../../../support/sdks.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { until } from "../../../support/until.ts";
import { bytesOf } from "../../../support/upstream/media-upstream.ts";
import { connectV2Agent, V2_HELLO, type V2Agent } from "../../../support/v2-agent.ts";

const HELLO = {
  ...V2_HELLO,
  endpoints: ["audio/transcriptions", "audio/speech"],
  capabilities: ["bytes"],
};

const SPEECH = { model: "m", input: "Hello", voice: "alloy" };

async function startScene(flags: string[] = []) {
  const scene = await startModelScene({ hello: HELLO }, ["--drain", "0s", ...flags]);
  return { ...scene, speak: () => speakAt(scene.server.url) };
}

/** Not the global `fetch`, which the tests have read each answer to its end. */
function speakAt(url: string): Promise<Response> {
  return Bun.fetch(`${url}/v1/audio/speech`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify(SPEECH),
  });
}

function upload(
  { server }: Pick<ModelScene, "server">,
  file: Uint8Array<ArrayBuffer>,
  model = "m",
  signal?: AbortSignal,
) {
  const form = new FormData();
  form.set("file", new File([file], "a.wav"));
  form.set("model", model);
  return Bun.fetch(`${server.url}/v1/audio/transcriptions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: form,
    ...(signal && { signal }),
  });
}

const bodyOf = (pieces: readonly Piece[], ask: string): Buffer =>
  Buffer.concat(pieces.filter((piece) => piece.ask === ask).map(({ bytes }) => bytes));

/** Takes all of the form of the next ask, and returns it. */
async function takeForm(agent: V2Agent) {
  const { ask, upload: announced, body } = await agent.next("ask");
  let credited = 0;
  const taken = () => bodyOf(agent.pieces, ask).byteLength;
  await until(async () => {
    const bytes = taken() - credited;
    if (bytes > 0 && taken() < (announced?.bytes ?? 0)) agent.say({ type: "credit", ask, bytes });
    credited += bytes;
    return taken() === announced?.bytes;
  });
  const form = bodyOf(agent.pieces, ask);
  return { ask, body, form, type: announced?.content_type ?? "" };
}

const done = (agent: V2Agent, ask: string, body?: string) =>
  agent.say({ type: "done", ask, status: 200, body });

test("a form reaches the agent byte by byte, but for the model's name if that was an alias", async () => {
  const scene = await startScene(["--model-alias", "a-much-longer-name=m"]);
  const file = bytesOf(1, 3_000_000);
  for (const model of ["m", "a-much-longer-name"]) {
    const asked = upload(scene, file, model);
    const { ask, body, form, type } = await takeForm(scene.agent);
    expect(body).toBe("");
    const fields = (await new Response(form, { headers: { "content-type": type } }).formData()) as FormData;
    expect(fields.get("model")).toBe("m");
    const received = fields.get("file");
    if (!(received instanceof File)) throw new Error("there is no file");
    expect(Buffer.from(file).equals(Buffer.from(await received.bytes()))).toBe(true);
    done(scene.agent, ask, '{"text":"fine"}');
    expect(await (await asked).json()).toEqual({ text: "fine" });
  }
});

test("no more than a window is sent without credit, and credit that was not used up closes the connection", async () => {
  const scene = await startScene();
  const asked = upload(scene, bytesOf(1, 3_000_000));
  const { ask } = await scene.agent.next("ask");
  const sent = () => bodyOf(scene.agent.pieces, ask).byteLength;
  await until(async () => sent() > WINDOW_BYTES - 65_536);
  await Bun.sleep(50);
  expect(sent()).toBeLessThanOrEqual(WINDOW_BYTES);
  scene.agent.say({ type: "credit", ask, bytes: WINDOW_BYTES + 1 });
  expect((await scene.agent.ended).code).toBe(4006);
  scene.server.stop();
  await asked.catch(() => {});
});

test("an agent that gets a form and fails is followed by another, which gets all of it", async () => {
  const scene = await startScene();
  const file = bytesOf(2, 1_500_000);
  const asked = upload(scene, file);
  const { ask } = await scene.agent.next("ask");
  const second = await connectV2Agent(scene.server.url, { hello: HELLO });
  onTestFinished(second.stop);
  scene.agent.say({ type: "fail", ask, error: { message: "overloaded" }, retryable: true, status: 503 });
  const { ask: again, form } = await takeForm(second);
  expect(form.includes(Buffer.from(file))).toBe(true);
  done(second, again, '{"text":"fine"}');
  expect((await asked).headers.get("x-tries")).toBe("2");
});

test("an answer comes as it is sent", async () => {
  const { agent, speak } = await startScene();
  const asked = speak();
  const { ask } = await agent.next("ask");
  agent.say({ type: "head", ask, status: 200, content_type: "audio/mpeg" });
  const first = bytesOf(1, 1_000);
  agent.sayPiece({ ask, bytes: first });
  const response = await asked;
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? [])).toEqual(Buffer.from(first));
  agent.sayPiece({ ask, bytes: first });
  done(agent, ask);
  expect((await reader?.read())?.value).toHaveLength(1_000);
  expect((await reader?.read())?.done).toBe(true);
});

test("an answer that a browser could run is sent as a download", async () => {
  const { agent, speak } = await startScene();
  const typeFor = async (content_type: string) => {
    const asked = speak();
    const { ask } = await agent.next("ask");
    agent.say({ type: "head", ask, status: 200, content_type });
    done(agent, ask);
    const { headers, ok } = await asked;
    expect(ok).toBe(true);
    return headers.get("content-type");
  };
  for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "audio/x\r\nset-cookie: a=b"])
    expect(await typeFor(type)).toBe("application/octet-stream");
  for (const type of ["audio/mpeg", "text/event-stream; charset=utf-8", "image/png"])
    expect(await typeFor(type)).toBe(type);
});

test("an answer that fails after its head breaks off, and does not look whole", async () => {
  const { agent, speak } = await startScene();
  const asked = speak();
  const { ask } = await agent.next("ask");
  agent.say({ type: "head", ask, status: 200, content_type: "audio/mpeg" });
  agent.sayPiece({ ask, bytes: bytesOf(1, 1_000) });
  const response = await asked;
  agent.say({ type: "fail", ask, error: { message: "broke" }, retryable: true });
  expect(await rejectionOf(response.bytes())).toBeInstanceOf(Error);
});

test("bytes before the head, or above the credit, close the connection of the agent", async () => {
  for (const isEarly of [true, false]) {
    const { agent, speak } = await startScene(["--reconnect-grace", "0s"]);
    const asked = speak();
    const { ask } = await agent.next("ask");
    if (!isEarly) agent.say({ type: "head", ask, status: 200, content_type: "audio/mpeg" });
    agent.sayPiece({ ask, bytes: new Uint8Array(10) });
    const response = isEarly ? undefined : await asked;
    // The caller reads nothing, and sockets hold far less.
    for (let sent = 0; !isEarly && sent < 64 * WINDOW_BYTES; sent += 65_536)
      agent.sayPiece({ ask, bytes: new Uint8Array(65_536) });
    expect((await agent.ended).code).toBe(4006);
    await (response ? response.bytes() : asked).catch(() => {});
  }
});

test("a caller who leaves ends the ask, before and after the answer began", async () => {
  const scene = await startScene();
  for (const hasBegun of [false, true]) {
    const leaving = new AbortController();
    const asked = upload(scene, bytesOf(3, 2_000_000), "m", leaving.signal);
    const { ask } = await scene.agent.next("ask");
    if (hasBegun) {
      scene.agent.say({ type: "head", ask, status: 200, content_type: "text/plain" });
      scene.agent.sayPiece({ ask, bytes: bytesOf(1, 10) });
      await asked;
    }
    leaving.abort();
    await asked.catch(() => {});
    expect((await scene.agent.next("cancel")).ask).toBe(ask);
  }
});

test("an agent without the capability for bytes offers no endpoint of audio and images", async () => {
  const { server } = await startModelScene({ hello: { ...HELLO, capabilities: [] } });
  const refused = await speakAt(server.url);
  expect(refused.status).toBe(404);
  const message =
    "This endpoint is not available for this model. No agent that offers the model supports /v1/audio/speech. If the model server has it, its agent long-polls or is old: let its WebSocket through, or update the agent.";
  expect(await refused.json()).toMatchObject({ error: { code: "endpoint_not_supported", message } });
});
