import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createCohere } from "@ai-sdk/cohere";
import { generateImage, generateSpeech, rerank, transcribe } from "ai";
import OpenAI from "openai";
import { shareModelApi } from "../support/model-api.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { openaiAt, openaiProviderAt, rejectionOf } from "../support/sdks.ts";
import { until } from "../support/until.ts";
import { bytesOf, shareMediaUpstream } from "../support/upstream/media-upstream.ts";

const upstream = shareMediaUpstream();
const api = shareModelApi({
  agents: () => [["--upstream", upstream().url]],
  flags: ["--model-alias", "ears=whisper-1"],
});
globalThis.AI_SDK_LOG_WARNINGS = false;

const hashOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Returns a WAV file of 16-bit mono samples at 16 kHz (https://www.rfc-editor.org/rfc/rfc2361). */
function wavOf(seed: number, samples: number): File {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0).toString();
  head.writeUInt32LE(36 + samples * 2, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples * 2, 40);
  return new File([head, bytesOf(seed, samples * 2)], "speech.wav", { type: "audio/wav" });
}

/** Returns the hash that the upstream answered with. */
const hashIn = (text: string): string => text.split(" ")[0] ?? "";

test("the OpenAI SDK transcribes and translates a WAV file, in one piece and as a stream", async () => {
  const openai = openaiAt(api());
  const file = wavOf(1, 100_000);
  const hash = hashOf(await file.bytes());
  const whole = await openai.audio.transcriptions.create({ file, model: "whisper-1" });
  expect(hashIn(whole.text)).toBe(hash);
  const text = await openai.audio.translations.create({ file, model: "ears", response_format: "text" });
  expect(String(text)).toStartWith(`${hash} whisper-1 `);
  const stream = await openai.audio.transcriptions.create({ file, model: "whisper-1", stream: true });
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  expect(types).toEqual(["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]);
});

test("the OpenAI SDK gets speech byte by byte, with its content type", async () => {
  const speech = await openaiAt(api()).audio.speech.create({
    model: "tts-1",
    voice: "alloy",
    input: "7 300000",
  });
  expect(speech.headers.get("content-type")).toBe("audio/mpeg");
  expect(hashOf(await speech.bytes())).toBe(hashOf(bytesOf(7, 300_000)));
});

test("the OpenAI SDK makes and edits images, and moderates without a model", async () => {
  const openai = openaiAt(api());
  const made = await openai.images.generate({ model: "gpt-image-1", prompt: "A hub" });
  expect(made.data?.[0]?.b64_json).toStartWith("iVBOR");
  const image = new File([bytesOf(3, 200_000)], "a.png", { type: "image/png" });
  const edited = await openai.images.edit({ model: "gpt-image-1", image, prompt: "Add a hub" });
  expect(edited.data?.[0]?.b64_json).toBe(Buffer.from(await image.bytes()).toString("base64"));
  const moderated = await openai.moderations.create({ input: "bad" });
  expect(moderated.results.map(({ flagged }) => flagged)).toEqual([true]);
});

test("the AI SDK transcribes, speaks, makes an image and ranks", async () => {
  const openai = openaiProviderAt(api());
  const file = wavOf(2, 50_000);
  const { text } = await transcribe({
    model: openai.transcription("whisper-1"),
    audio: await file.bytes(),
  });
  expect(hashIn(text)).toBe(hashOf(await file.bytes()));
  const { audio } = await generateSpeech({ model: openai.speech("tts-1"), text: "9 70000" });
  expect(hashOf(audio.uint8Array)).toBe(hashOf(bytesOf(9, 70_000)));
  const { image } = await generateImage({ model: openai.image("gpt-image-1"), prompt: "A hub" });
  expect(image.base64).toStartWith("iVBOR");
  const cohere = createCohere({ baseURL: `${api().url}/v2`, apiKey: api().apiKey });
  const ranked = await rerank({
    model: cohere.reranking("rerank-v3.5"),
    query: "q",
    documents: ["a", "b", "c"],
  });
  expect(ranked.ranking.map(({ originalIndex }) => originalIndex)).toEqual([2, 1, 0]);
});

test("a ranking is answered at /rerank, /v1/rerank and /v2/rerank alike", async () => {
  const { url, apiKey } = api();
  for (const path of ["/rerank", "/v1/rerank", "/v2/rerank"]) {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ model: "rerank-v3.5", query: "q", documents: ["a", "b"] }),
    });
    const { results } = (await response.json()) as { results: { index: number }[] };
    expect([response.status, results.map(({ index }) => index)]).toEqual([200, [1, 0]]);
  }
});

test("an upstream's refusal keeps its status, and speech that breaks off is an error for the SDK", async () => {
  const openai = openaiAt(api());
  const refused = await rejectionOf(
    openai.images.generate({ model: "gpt-image-1", prompt: undefined as never }),
  );
  expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
  // It may break off before the SDK has the head of the answer.
  const speech = openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: "0 400000" });
  expect(await rejectionOf(speech.then((answer) => answer.bytes()))).toBeInstanceOf(Error);
});

const seed = chooseSeed();

/** Returns a body that arrives in random cuts. */
function cutAtRandom(bytes: Uint8Array, below: (end: number) => number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      const to = Math.min(at + 1 + below(below(3) === 0 ? 50 : 300_000), bytes.byteLength);
      controller.enqueue(bytes.slice(at, to));
      at = to;
      if (below(4) === 0) await new Promise(setImmediate);
    },
  });
}

test(`200 uploads and downloads of random sizes, in random cuts, come whole, and nothing is left (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const { baseURL, apiKey, url, adminKey } = api();
  const headers = { authorization: `Bearer ${apiKey}` };
  const sizeOf = () => random.below(random.pick([10, 1_000, 300_000, 3_000_000])) + 1;

  const upload = async () => {
    const file = bytesOf(random.below(2 ** 30), sizeOf());
    const form = new FormData();
    const isModelFirst = random.below(2) === 0;
    const model = random.pick(["ears", "whisper-1"]);
    if (isModelFirst) form.set("model", model);
    form.set("file", new File([file], "a.bin"));
    if (!isModelFirst) form.set("model", model);
    const whole = new Response(form);
    const type = whole.headers.get("content-type") ?? "";
    const body = cutAtRandom(await whole.bytes(), random.below);
    const init = { method: "POST", headers: { ...headers, "content-type": type }, body };
    const abort = random.below(10) === 0 ? new AbortController() : undefined;
    const asked = fetch(`${baseURL}/audio/transcriptions`, {
      ...init,
      ...(abort && { signal: abort.signal }),
    });
    if (abort) {
      setTimeout(() => abort.abort(), random.below(20));
      await asked.then((response) => response.bytes()).catch(() => {});
      return;
    }
    const { text } = (await (await asked).json()) as { text: string };
    expect(text).toStartWith(`${hashOf(file)} whisper-1 `);
  };
  const download = async () => {
    const [from, length] = [1 + random.below(1_000), sizeOf()];
    const abort = random.below(10) === 0 ? new AbortController() : undefined;
    const response = await fetch(`${baseURL}/audio/speech`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "tts-1", voice: "a", input: `${from} ${length}` }),
      ...(abort && { signal: abort.signal }),
    });
    if (abort) {
      setTimeout(() => abort.abort(), random.below(20));
      await response.bytes().catch(() => {});
      return;
    }
    expect(hashOf(await response.bytes())).toBe(hashOf(bytesOf(from, length)));
  };

  const queue = Array.from({ length: 200 }, () => (random.below(2) === 0 ? upload : download));
  const work = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await next();
  };
  await Promise.all(Array.from({ length: 8 }, work));
  const admin = { headers: { authorization: `Bearer ${adminKey}` } };
  const busy = async () => {
    const { agents } = (await (await fetch(`${url}/admin/agents`, admin)).json()) as {
      agents: { in_use: number }[];
    };
    return agents.map(({ in_use }) => in_use);
  };
  await until(async () => (await busy()).every((count) => count === 0));
  expect(await busy()).toEqual([0]);
  const { pid } = api().server;
  const folder = `/proc/${pid}/fd`;
  if (process.platform !== "linux") return;
  await until(async () => (await openUploads(folder)).length === 0);
  expect(await openUploads(folder)).toEqual([]);
}, 120_000);

/** Returns the open files of uploads, also those without a name. */
async function openUploads(folder: string): Promise<string[]> {
  const { readlink } = await import("node:fs/promises");
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => "")),
  );
  return links.filter((link) => link.includes("/uploads/"));
}
