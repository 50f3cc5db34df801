import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readChunk } from "../../../../src/dashboard/pages/try/chat/chat-chunk.ts";
import { readEventData } from "../../../../src/dashboard/pages/try/chat/event-stream.ts";
import type { Message } from "../../../../src/dashboard/pages/try/chat/types.ts";
import {
  SAMPLE_KINDS,
  type SampleKind,
  sampleOf,
  shortRequest,
} from "../../../../src/dashboard/pages/try/code-samples.ts";
import { startModelScene } from "../../../support/model-scene.ts";
import { testWith } from "../../../support/programs.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { tempFolder } from "../../../support/store.ts";
import { messagesOf, streamPieces } from "../../../support/v2-agent.ts";

/** Everything that a shell, JSON, JavaScript or Python might interpret. */
const NASTY = [
  `It's "quoted" 'twice' \\ and \\n \\' \\" \\u0041 \\x41 %s {x} #{y}`,
  "$HOME $\u007bHOME} $(id) `id` !! ~ * ? [a] <in >out | & ; # no remark",
  "line\nfeed\r\nreturn\ttab\n\n'''three''' \"\"\"three\"\"\"\nJSON\nEOF",
  "\u0000\u0001\u001b[31m\u007f\u0085\u2028\u2029\ufeff\u200b\u202e turned",
  "naïve 日本語 🙂 </script><!--",
].join("\n");

const MESSAGES: Message[] = [
  { role: "system", content: "Don't say 'no'." },
  { role: "user", content: NASTY },
  { role: "assistant", content: `${NASTY}'` },
  { role: "user", content: `'${NASTY}\\` },
];

const MODEL = "m";

/** Returns the address of a server whose agent answers with the messages it received, as JSON. */
async function startRecitingServer(): Promise<string> {
  const { server } = await startModelScene({
    onAsk: (ask, agent) => streamPieces(agent, ask.ask, [JSON.stringify(messagesOf(ask))]),
  });
  return server.url;
}

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"], API_KEY: ADMIN_KEY, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, faults, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect([code, code === 0 ? "" : faults]).toEqual([0, ""]);
  return out;
}

async function textOfStream(stream: string): Promise<string> {
  const { body } = new Response(stream);
  const chunks = body ? (await Array.fromAsync(readEventData(body))).map(readChunk) : [];
  expect(chunks.at(-1)).toEqual({ isLast: true });
  return chunks.map(({ text = "" }) => text).join("");
}

testWith("curl", "the curl sample sends every character unchanged to the model", async () => {
  const origin = await startRecitingServer();
  const sample = sampleOf("curl", origin, { model: MODEL, messages: MESSAGES });
  expect(JSON.parse(await textOfStream(await run(["sh", "-c", sample])))).toEqual(MESSAGES);
});

testWith("curl", "the curl sample works however long the conversation is", async () => {
  const origin = await startRecitingServer();
  const messages: Message[] = [...MESSAGES, { role: "user", content: "It's long.\n".repeat(40_000) }];
  const sample = sampleOf("curl", origin, { model: MODEL, messages });
  const path = join(tempFolder(), "sample.sh");
  writeFileSync(path, sample);
  expect(JSON.parse(await textOfStream(await run(["sh", path])))).toEqual(messages);
});

testWith("curl", "the /api/ask sample sends the newest message", async () => {
  const origin = await startRecitingServer();
  const sample = sampleOf("ask", origin, { model: MODEL, messages: MESSAGES });
  const answer = JSON.parse(await run(["sh", "-c", sample])) as { content: string };
  expect(JSON.parse(answer.content)).toEqual([MESSAGES.at(-1)]);
});

test("the openai-node sample sends every character unchanged to the model", async () => {
  const origin = await startRecitingServer();
  const folder = tempFolder();
  symlinkSync(join(import.meta.dir, "../../../../node_modules"), join(folder, "node_modules"));
  const path = join(folder, "sample.mjs");
  writeFileSync(path, sampleOf("node", origin, { model: MODEL, messages: MESSAGES }));
  expect(JSON.parse(await run([process.execPath, path]))).toEqual(MESSAGES);
});

testWith(
  "python3",
  "the openai-python sample is valid Python and passes the request to the package",
  async (python) => {
    const folder = tempFolder();
    mkdirSync(join(folder, "openai"));
    writeFileSync(join(folder, "openai/__init__.py"), PYTHON_PACKAGE);
    const path = join(folder, "sample.py");
    const origin = "http://127.0.0.1:8080";
    writeFileSync(path, sampleOf("python", origin, { model: MODEL, messages: MESSAGES }));
    expect(JSON.parse(await run([python, path], { PYTHONPATH: folder }))).toEqual({
      client: { base_url: `${origin}/v1`, api_key: ADMIN_KEY },
      asked: { model: MODEL, messages: MESSAGES, stream: true },
    });
  },
);

test.each(SAMPLE_KINDS.map(({ value }) => value))(
  "the %s sample contains no invisible characters",
  (kind: SampleKind) => {
    const sample = sampleOf(kind, "http://[::1]:8080", { model: "it's \u202e", messages: MESSAGES });
    expect(sample).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|[\u2028\u2029]/u);
    expect(sample).toContain("API_KEY");
  },
);

/** A stand-in for the package, which answers with the arguments of the call as its only chunk. */
const PYTHON_PACKAGE = `import json
from types import SimpleNamespace as Object

class OpenAI:
    def __init__(self, **client):
        def create(**asked):
            text = json.dumps({"client": client, "asked": asked})
            yield Object(choices=[])
            yield Object(choices=[Object(delta=Object(content=text))])
            yield Object(choices=[Object(delta=Object(content=None))])
        self.chat = Object(completions=Object(create=create))
`;

test("the shown sample of a long request is made of its beginning only, and a short one is whole", () => {
  const image = {
    type: "image_url" as const,
    image_url: { url: `data:image/png;base64,${"a".repeat(1_000_000)}` },
  };
  const request = {
    model: "m",
    messages: [
      { role: "user" as const, content: [{ type: "text" as const, text: "look" }, image] },
      { role: "assistant" as const, content: "b".repeat(100_000) },
    ],
  };
  expect(sampleOf("curl", "http://localhost", shortRequest(request, 20_000)).length).toBeLessThan(21_000);
  expect(shortRequest(request, 2_000_000)).toBe(request);
});
