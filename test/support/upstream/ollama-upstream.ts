import { afterAll, beforeAll } from "bun:test";
import { z } from "zod";
import {
  type AskedChat,
  answerAsOllama,
  OLLAMA_MODELS,
  piecesOf,
  vectorOf,
  words,
} from "./ollama-answers.ts";
import { openaiFace } from "./ollama-openai.ts";

/** A request to one of Ollama's own routes, in the order of arrival. */
export interface OllamaRequest {
  path: string;
  body: Record<string, unknown>;
  /** Aborted once the other side is gone. */
  gone: AbortSignal;
}

/** A stand-in for Ollama with both of its APIs, in the process of the test. */
export interface OllamaUpstream {
  /** The address without `/v1`. */
  url: string;
  /** The requests that were more than an empty body. */
  requests: OllamaRequest[];
}

const Body = z.looseObject({
  model: z.string().default(""),
  stream: z.boolean().nullish(),
  messages: z
    .array(
      z.looseObject({
        role: z.string(),
        content: z.string().nullish(),
        images: z.array(z.string()).nullish(),
        tool_name: z.string().nullish(),
      }),
    )
    .default([]),
  prompt: z.string().default(""),
  system: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  format: z.unknown().optional(),
  think: z.unknown().optional(),
  raw: z.boolean().nullish(),
  suffix: z.string().nullish(),
  input: z.union([z.string(), z.array(z.string())]).optional(),
});
type Body = z.output<typeof Body>;

const json = (value: object, status = 200) =>
  new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
  });

/** Starts one for all tests of the calling file. */
export function shareOllamaUpstream(): () => OllamaUpstream {
  const requests: OllamaRequest[] = [];
  let server: ReturnType<typeof Bun.serve> | undefined;
  beforeAll(() => {
    server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1", idleTimeout: 0, development: false },
      fetch: async (request) => {
        const { pathname } = new URL(request.url);
        if (request.method !== "POST") return readRoute(pathname);
        const body = z.record(z.string(), z.unknown()).parse(await request.json());
        if (Object.keys(body).length > 0) requests.push({ path: pathname, body, gone: request.signal });
        if (pathname.startsWith("/v1/")) return openaiFace(pathname.slice("/v1/".length), body);
        return ownRoute(pathname, Body.parse(body));
      },
    });
  });
  afterAll(() => server?.stop(true));
  return () => ({ url: `http://127.0.0.1:${server?.port}`, requests });
}

const DETAILS = { format: "gguf", family: "tiny", parameter_size: "1.1B", quantization_level: "Q4_K_M" };

function readRoute(path: string): Response {
  const models = OLLAMA_MODELS.map((name) => ({ name, model: name, size: 1_234_567, details: DETAILS }));
  switch (path) {
    case "/":
      return new Response("Ollama is running");
    case "/api/version":
      return json({ version: "0.12.11" });
    case "/api/tags":
      return json({ models });
    case "/api/ps":
      return json({ models: models.slice(0, 1).map((model) => ({ ...model, context_length: 4096 })) });
    case "/v1/models":
      return json({ object: "list", data: OLLAMA_MODELS.map((id) => ({ id, owned_by: "library" })) });
    default:
      return new Response("404 page not found", { status: 404 });
  }
}

function ownRoute(path: string, body: Body): Response {
  if (path === "/api/chat" && body.model === "") return json({ error: "model is required" }, 400);
  if (!OLLAMA_MODELS.some((name) => name === body.model))
    return json({ error: `model '${body.model}' not found` }, 404);
  if (path === "/api/show")
    return json({
      ...{ capabilities: ["completion", "tools", "vision", "thinking"], details: DETAILS },
      model_info: { "general.architecture": "tiny", "tiny.context_length": 8192 },
    });
  if (path === "/api/embed") {
    const inputs = [body.input ?? []].flat();
    const embeddings = inputs.map(vectorOf);
    const counts = { total_duration: 5, load_duration: 1, prompt_eval_count: words(inputs.join(" ")) };
    return json({ model: body.model, embeddings, ...counts });
  }
  return answer(path === "/api/chat", body);
}

function answer(isChat: boolean, body: Body): Response {
  const question = (isChat ? body.messages.at(-1)?.content : body.prompt) ?? "";
  if (question === "refuse") return json({ error: "invalid options: nonsense" }, 400);
  const made = answerAsOllama(chatOf(isChat, body));
  const text = body.raw || body.suffix ? `[${body.prompt}|${body.suffix ?? ""}]` : made.text;
  const calls = made.calls.map((call) => ({ function: call }));
  const line = (content: string, thinking = "", tool_calls: object[] = []) => ({
    ...{ model: body.model, created_at: "2026-11-28T00:00:00.123456789Z" },
    ...(isChat
      ? {
          message: {
            role: "assistant",
            content,
            ...(thinking && { thinking }),
            ...(tool_calls.length > 0 && { tool_calls }),
          },
        }
      : { response: content, ...(thinking && { thinking }) }),
    done: false,
  });
  const end = {
    ...{ done: true, done_reason: "stop", total_duration: 9000, load_duration: 1000 },
    ...{ prompt_eval_count: made.inputTokens, prompt_eval_duration: 3000 },
    ...{ eval_count: made.outputTokens, eval_duration: 5000 },
  };
  if (body.stream === false) return json({ ...line(text, made.thinking, calls), ...end });
  const lines = [
    ...piecesOf(made.thinking).map((piece) => line("", piece)),
    ...piecesOf(text).map((piece) => line(piece)),
    ...(calls.length > 0 ? [line("", "", calls)] : []),
    { ...line(""), ...end },
  ];
  return stream(lines, question);
}

function chatOf(isChat: boolean, body: Body): AskedChat {
  const own = [{ role: "user", text: body.prompt, images: body.images ?? [] }];
  const messages = body.messages.map(({ role, content, images, tool_name: tool }) => ({
    ...{ role, text: content ?? "", images: images ?? [], tool: tool ?? undefined },
  }));
  return {
    model: body.model,
    messages: isChat ? messages : own,
    tools: body.tools.map((tool) => tool.function.name),
    hasFormat: Boolean(body.format),
    thinks: body.think !== false,
  };
}

/** Sends the lines in pieces that end anywhere. Some questions have a stream that goes wrong after its first lines. */
function stream(lines: readonly object[], question: string): Response {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`);
  const half = text.slice(0, 2);
  const texts: Record<string, string[]> = {
    "fail in the middle": [...half, `${JSON.stringify({ error: "an error was encountered" })}\n`],
    "tear in the middle": [...half, text[2]?.slice(0, 20) ?? ""],
  };
  const stays = question === "never end";
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const sent = stays ? encode(half) : encode(texts[question] ?? text);
      for (let at = 0; at < sent.length; at += 37) {
        controller.enqueue(sent.subarray(at, at + 37));
        if (at % 370 === 0) await Bun.sleep(0);
      }
      if (!stays) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}

const encode = (lines: readonly string[]) => new TextEncoder().encode(lines.join(""));
