import { announce } from "./announce.ts";

/**
 * A program: a model server for audio, images and rankings. It answers with the hash of what it got, and sends the bytes
 * of `bytesOf(seed, length)` when it is asked for `<seed> <length>`.
 */
const MODELS = ["whisper-1", "tts-1", "gpt-image-1", "rerank-v3.5", "omni-moderation-latest"];
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const refuse = (message: string) =>
  Response.json({ error: { message, type: "invalid_request_error" } }, { status: 400 });

const hashOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Returns bytes that can be made again from the seed. */
export function bytesOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = seed | 1; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

async function formOf(request: Request): Promise<FormData> {
  if (!request.headers.get("content-type")?.startsWith("multipart/form-data")) return new FormData();
  return (await request.formData()) as FormData;
}

async function* wordsOf(text: string): AsyncGenerator<string> {
  for (const word of text.split(" ")) {
    yield `data: ${JSON.stringify({ type: "transcript.text.delta", delta: word })}\n\n`;
    await Bun.sleep(20);
  }
  yield `data: ${JSON.stringify({ type: "transcript.text.done", text })}\n\n`;
}

async function transcribe(request: Request): Promise<Response> {
  const form = await formOf(request);
  const file = form.get("file");
  if (!(file instanceof File)) return refuse("file is missing");
  if (form.get("prompt") === "fail") return new Response("overloaded", { status: 503 });
  const text = `${hashOf(await file.bytes())} ${form.get("model")} ${request.headers.get("content-length")}`;
  if (form.get("stream") === "true")
    return new Response(wordsOf("two words"), { headers: { "content-type": "text/event-stream" } });
  if (form.get("response_format") === "text")
    return new Response(text, { headers: { "content-type": "text/plain" } });
  return Response.json({ text, language: "english", duration: 1, segments: [] });
}

/** Hangs up in the middle if the seed is 0. */
async function speak(request: Request): Promise<Response> {
  const { input } = (await request.json()) as { input?: string };
  if (input === undefined) return refuse("input is missing");
  const [seed = 1, length = 50_000] = input.split(" ").map(Number);
  const bytes = Number.isFinite(length) ? bytesOf(seed, length) : bytesOf(1, 50_000);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (seed === 0 && at > length / 2) return controller.error(new Error("broken on purpose"));
      const piece = bytes.slice(at, at + 1 + ((seed * 7919 + at) % 90_000));
      at += piece.byteLength;
      if (piece.byteLength === 0) controller.close();
      else controller.enqueue(piece);
    },
  });
  const type = input === "page" ? "image/svg+xml" : "audio/mpeg";
  return new Response(body, { headers: { "content-type": type } });
}

async function edit(request: Request): Promise<Response> {
  const form = await formOf(request);
  const image = form.get("image");
  if (!(image instanceof File)) return refuse("image is missing");
  return Response.json({
    created: 1,
    data: [{ b64_json: Buffer.from(await image.bytes()).toString("base64") }],
  });
}

async function answerJson(path: string, request: Request): Promise<Response> {
  const body = (await request.json()) as { prompt?: string; documents?: unknown[]; input?: unknown };
  if (path === "/v1/images/generations")
    return body.prompt === undefined
      ? refuse("prompt")
      : Response.json({ created: 1, data: [{ b64_json: PIXEL }] });
  if (path === "/rerank") {
    if (!body.documents) return refuse("documents");
    const results = body.documents
      .map((_, index) => ({ index, relevance_score: (index + 1) / 10 }))
      .reverse();
    return Response.json({ id: "rank-1", results, meta: {} });
  }
  if (path === "/v1/moderations") {
    if (body.input === undefined) return refuse("input");
    return Response.json({ id: "modr-1", model: "m", results: [{ flagged: body.input === "bad" }] });
  }
  return new Response("404 page not found", { status: 404 });
}

if (import.meta.main) {
  const server = Bun.serve({
    port: Number(process.env["PORT"] ?? 0),
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === "/v1/models")
        return Response.json({ object: "list", data: MODELS.map((id) => ({ id, object: "model" })) });
      if (path === "/v1/audio/transcriptions" || path === "/v1/audio/translations")
        return transcribe(request);
      if (path === "/v1/audio/speech") return speak(request);
      if (path === "/v1/images/edits") return edit(request);
      return answerJson(path, request);
    },
  });
  announce(server.port ?? 0);
}
