import { shellQuote } from "../../../shell-quote.ts";
import type { ChatRequest } from "./conversation.ts";

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

const SAMPLES: Record<SampleKind, (origin: string, request: ChatRequest) => string> = {
  curl: (origin, { model, messages }) =>
    curl("curl -N", `${origin}/v1/chat/completions`, [
      ["model", quote(model)],
      ["messages", list(messages.map(({ role, content }) => jsonMessage(role, content)))],
      ["stream", "true"],
    ]),

  node: (origin, { model, messages }) => `import OpenAI from "openai";

const openai = new OpenAI({ baseURL: ${quote(`${origin}/v1`)}, apiKey: process.env.API_KEY });
const stream = await openai.chat.completions.create({
  model: ${quote(model)},
  messages: ${list(messages.map(({ role, content }) => `{ role: ${quote(role)}, content: ${quote(content)} }`))},
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
`,

  python: (origin, { model, messages }) => `import os

from openai import OpenAI

client = OpenAI(base_url=${quote(`${origin}/v1`)}, api_key=os.environ["API_KEY"])
stream = client.chat.completions.create(
    model=${quote(model)},
    messages=${list(
      messages.map(({ role, content }) => jsonMessage(role, content)),
      "    ",
    )},
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
`,

  ask: (origin, { model, messages }) =>
    curl("curl", `${origin}/api/ask`, [
      ["content", quote(messages.at(-1)?.content ?? "")],
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

function jsonMessage(role: string, content: string): string {
  return `{"role": ${quote(role)}, "content": ${quote(content)}}`;
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
