import { shellQuote } from "../../../shell-quote.ts";
import type { ChatRequest, Message, Parameters } from "./chat/types.ts";

export type SampleKind = "curl" | "node" | "python" | "ask";

export const SAMPLE_KINDS: readonly { value: SampleKind; label: string }[] = [
  { value: "curl", label: "curl" },
  { value: "node", label: "openai-node" },
  { value: "python", label: "openai-python" },
  { value: "ask", label: "/api/ask" },
];

/**
 * Returns a command or a program that sends the request to the server at `origin`, ready to paste. It
 * contains no key, but reads the environment variable `API_KEY`.
 */
export function sampleOf(kind: SampleKind, origin: string, request: ChatRequest): string {
  return SAMPLES[kind](origin, request);
}

/** Returns a request of which at most about `length` characters are texts and images; the same one if it is no longer. */
export function shortRequest(request: ChatRequest, length: number): ChatRequest {
  let room = length;
  const cut = (text: string) => {
    const part = text.slice(0, Math.max(0, room));
    room -= text.length;
    return part.length < text.length ? `${part}…` : text;
  };
  const messages = request.messages.map(({ role, content }): Message => {
    if (room < 0) return { role, content: "…" };
    if (typeof content === "string") return { role, content: cut(content) };
    const parts = content.map((part) =>
      part.type === "text"
        ? { ...part, text: cut(part.text) }
        : { ...part, image_url: { url: cut(part.image_url.url) } },
    );
    return { role, content: parts };
  });
  return room < 0 ? { ...request, messages } : request;
}

const SAMPLES: Record<SampleKind, (origin: string, request: ChatRequest) => string> = {
  curl: (origin, { model, messages, ...parameters }) =>
    curl("curl -N", `${origin}/v1/chat/completions`, [
      ["model", quote(model)],
      ["messages", list(messages.map(jsonMessage))],
      ...parameterFields(parameters),
      ["stream", "true"],
    ]),

  node: (origin, { model, messages, ...parameters }) => `import OpenAI from "openai";

const openai = new OpenAI({ baseURL: ${quote(`${origin}/v1`)}, apiKey: process.env.API_KEY });
const stream = await openai.chat.completions.create({
  model: ${quote(model)},
  messages: ${list(messages.map(({ role, content }) => `{ role: ${quote(role)}, content: ${literal(content)} }`))},
${lines(parameters, "  ", ": ")}  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
`,

  python: (origin, { model, messages, ...parameters }) => `import os

from openai import OpenAI

client = OpenAI(base_url=${quote(`${origin}/v1`)}, api_key=os.environ["API_KEY"])
stream = client.chat.completions.create(
    model=${quote(model)},
    messages=${list(messages.map(jsonMessage), "    ")},
${lines(parameters, "    ", "=")}    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
`,

  ask: (origin, { model, messages }) =>
    curl("curl", `${origin}/api/ask`, [
      ["content", quote(textOf(messages.at(-1)))],
      ["model", quote(model)],
    ]),
};

/** Linux accepts no single argument of 128 KB or more. */
const ARGUMENT_BYTES_MAX = 100_000;

function curl(command: string, url: string, fields: readonly (readonly [string, string])[]): string {
  const body = `{\n${fields.map(([name, value]) => `  ${quote(name)}: ${value}`).join(",\n")}\n}`;
  const head = [
    `${command} ${shellQuote(url)} \\`,
    `  -H "Authorization: Bearer $API_KEY" \\`,
    `  -H 'Content-Type: application/json' \\`,
  ];
  // No line of the body can be just `JSON`, because line ends within texts are escaped.
  const isLong = new TextEncoder().encode(body).length > ARGUMENT_BYTES_MAX;
  const data = isLong ? ["  --data-binary @- <<'JSON'", body, "JSON"] : [`  -d ${shellQuote(body)}`];
  return `${[...head, ...data].join("\n")}\n`;
}

function jsonMessage({ role, content }: Message): string {
  return `{"role": ${quote(role)}, "content": ${literal(content)}}`;
}

function textOf(message: Message | undefined): string {
  const { content = "" } = message ?? {};
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function parameterFields(parameters: Parameters): [string, string][] {
  return Object.entries(parameters).map(([name, value]) => [name, literal(value)]);
}

/** Returns the parameters as fields of a call, a line each. */
function lines(parameters: Parameters, indent: string, sign: string): string {
  return parameterFields(parameters)
    .map(([name, value]) => `${indent}${name}${sign}${value},\n`)
    .join("");
}

/** Returns a literal that is valid in JSON, JavaScript and Python, as none of the values is a truth value or null. */
function literal(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => `${quote(name)}: ${literal(field)}`);
  return `{${fields.join(", ")}}`;
}

function list(items: readonly string[], indent = "  "): string {
  const step = indent.length > 2 ? "    " : "  ";
  return `[\n${items.map((item) => `${indent}${step}${item}`).join(",\n")}\n${indent}]`;
}

/** Characters that are invisible, or that change the order in which others are shown. */
const INVISIBLE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Returns a string literal that is valid in JSON, JavaScript and Python. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
