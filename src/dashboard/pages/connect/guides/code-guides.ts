import { powershellQuote } from "../../../../shell-quote.ts";
import { type Guide, quoted, SHELL_SYSTEMS, shellWord, type Target } from "./guide.ts";

const hello = (model: string) => `{"model":${quoted(model)},"messages":[{"role":"user","content":"Hello"}]}`;

const curl = ({ url, model }: Target) => `curl ${shellWord(`${url}/v1/chat/completions`)} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d ${shellWord(hello(model))}
`;

const powershell = ({
  url,
  model,
}: Target) => `Invoke-RestMethod ${powershellQuote(`${url}/v1/chat/completions`)} \`
  -Method Post -ContentType application/json \`
  -Headers @{ Authorization = "Bearer $env:TOKEN" } \`
  -Body ${powershellQuote(hello(model))}
`;

const openaiNode = ({ url, model }: Target) => `import OpenAI from "openai";
const client = new OpenAI({ baseURL: ${quoted(`${url}/v1`)}, apiKey: process.env.TOKEN });
const answer = await client.chat.completions.create({
  model: ${quoted(model)},
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);
`;

const openaiPython = ({ url, model }: Target) => `import os

from openai import OpenAI

client = OpenAI(base_url=${quoted(`${url}/v1`)}, api_key=os.environ["TOKEN"])
answer = client.chat.completions.create(
    model=${quoted(model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)
`;

const vercel = ({ url, model }: Target) =>
  [
    'import { createOpenAICompatible } from "@ai-sdk/openai-compatible";',
    'import { streamText } from "ai";',
    `const provider = createOpenAICompatible({ name: "mine", baseURL: ${quoted(`${url}/v1`)}, apiKey: process.env.TOKEN });`,
    `const { textStream } = streamText({ model: provider(${quoted(model)}), prompt: "Hello" });`,
    "for await (const text of textStream) process.stdout.write(text);",
    "",
  ].join("\n");

const anthropic = ({ url, model }: Target) => `import Anthropic from "@anthropic-ai/sdk";
const client = new Anthropic({ baseURL: ${quoted(url)}, apiKey: process.env.TOKEN });
const answer = await client.messages.create({
  model: ${quoted(model)},
  max_tokens: 1024,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.content);
`;

const ollamaJs = ({ url, model }: Target) => `import { Ollama } from "ollama";
const ollama = new Ollama({ host: ${quoted(url)}, headers: { authorization: \`Bearer \${process.env.TOKEN}\` } });
const { message } = await ollama.chat({ model: ${quoted(model)}, messages: [{ role: "user", content: "Hello" }] });
console.log(message.content);
`;

const ollamaPython = ({ url, model }: Target) => `import os

from ollama import Client

client = Client(host=${quoted(url)}, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
answer = client.chat(model=${quoted(model)}, messages=[{"role": "user", "content": "Hello"}])
print(answer.message.content)
`;

const azure = ({ url, model }: Target) => `import { AzureOpenAI } from "openai";
const client = new AzureOpenAI({ endpoint: ${quoted(url)}, apiKey: process.env.TOKEN, apiVersion: "2025-04-01" });
const answer = await client.chat.completions.create({
  model: ${quoted(model)},
  messages: [{ role: "user", content: "Hello" }],
});
`;

const groq = ({ url, model }: Target) => `import Groq from "groq-sdk";
const client = new Groq({ baseURL: ${quoted(url)}, apiKey: process.env.TOKEN });
const answer = await client.chat.completions.create({
  model: ${quoted(model)},
  messages: [{ role: "user", content: "Hello" }],
});
`;

const NOTES = {
  openai: "connect.note.npm.openai",
  anthropic: "connect.note.npm.anthropic",
  vercel: "connect.note.npm.vercel",
  ollama: "connect.note.npm.ollama",
  groq: "connect.note.npm.groq",
} as const;

/** The SDKs, and the shell. */
export const CODE_GUIDES: readonly Guide[] = [
  {
    id: "curl",
    title: "curl",
    kind: "code",
    steps: [
      { language: "bash", code: curl, variable: "TOKEN", systems: SHELL_SYSTEMS },
      { language: "powershell", code: powershell, variable: "TOKEN", systems: ["windows"] },
    ],
  },
  js("openai-node", "openai-node", openaiNode, "openai"),
  {
    id: "openai-python",
    title: "openai-python",
    kind: "code",
    notes: ["connect.note.pip.openai"],
    steps: [{ language: "python", code: openaiPython, variable: "TOKEN" }],
  },
  js("anthropic", "Anthropic SDK", anthropic, "anthropic"),
  js("vercel", "Vercel AI SDK", vercel, "vercel"),
  { ...js("ollama-js", "ollama-js", ollamaJs, "ollama"), page: "docs/ollama-api.md" },
  {
    id: "ollama-python",
    title: "ollama-python",
    kind: "code",
    page: "docs/ollama-api.md",
    notes: ["connect.note.pip.ollama"],
    steps: [{ language: "python", code: ollamaPython, variable: "TOKEN" }],
  },
  js("groq", "Groq SDK", groq, "groq"),
  js("azure", "AzureOpenAI", azure, "openai"),
];

function js(id: string, title: string, code: (target: Target) => string, name: keyof typeof NOTES): Guide {
  const steps = [{ language: "js" as const, code, variable: "TOKEN" }];
  return { id, title, kind: "code", notes: [NOTES[name]], steps };
}
