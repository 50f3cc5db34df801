import { expect, test } from "bun:test";
import { startModelScene } from "../../../support/model-scene.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { V2_HELLO } from "../../../support/v2-agent.ts";

const ENDPOINTS = ["api/chat", "api/generate", "api/embed"];
const LINE = '{"message":{"role":"assistant","content":"a"},"done":false}';
const LAST = '{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}';

/** Starts a server whose only agent, before an Ollama, streams these lines, or answers with this body. */
async function startScene(answer: { lines: string[] } | { body: string }) {
  const { server, agent } = await startModelScene({
    hello: { ...V2_HELLO, endpoints: ENDPOINTS },
    onAsk: ({ ask }, { say }) => {
      if ("lines" in answer) for (const data of answer.lines) say({ type: "delta", ask, data });
      say({ type: "done", ask, status: 200, ...("body" in answer && { body: answer.body }) });
    },
  });
  const send = async (path: string, body: object) => {
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ model: "m", ...body }),
    });
    return { status: response.status, text: await response.text() };
  };
  return { send, agent };
}

const CHAT = { messages: [{ role: "user", content: "Hi" }] };
const NOT_OLLAMA = "The agent's upstream sent something that is not an answer of Ollama's API.";

test.each(["rubbish", '{"choices":[{"delta":{"content":"a"}}]}'])(
  "the line %s of an agent ends the stream with an error that every client can read",
  async (line) => {
    for (const before of [[LINE], []]) {
      const { send } = await startScene({ lines: [...before, line, LAST] });
      const text = [...before, JSON.stringify({ error: NOT_OLLAMA })].map((one) => `${one}\n`).join("");
      expect(await send("/api/chat", CHAT)).toEqual({ status: 200, text });
    }
  },
);

test("a whole answer in the shape of another API is a 502", async () => {
  const { send } = await startScene({ body: '{"choices":[{"message":{"content":"a"}}]}' });
  expect(await send("/api/chat", { ...CHAT, stream: false })).toEqual({
    status: 502,
    text: JSON.stringify({ error: `The agent's answer could not be read. ${NOT_OLLAMA}` }),
  });
});

test.each(['{"embeddings":[]}', '{"embeddings":"x"}', "{}"])(
  "the answer %s becomes no empty embedding, but a 502",
  async (body) => {
    const { send } = await startScene({ body });
    expect((await send("/api/embeddings", { prompt: "Hi" })).status).toBe(502);
  },
);

test.each([[5], [["Hi"]], [{ a: 1 }]])(
  "an embedding of the prompt %j is a 400 that names the field",
  async (prompt) => {
    const { send, agent } = await startScene({ body: '{"embeddings":[[1]]}' });
    expect(await send("/api/embeddings", { prompt })).toEqual({
      status: 400,
      text: '{"error":"Invalid request. `prompt` is not valid: expected a text. For several texts use `/api/embed`."}',
    });
    expect(agent.frames.filter(({ type }) => type === "ask")).toEqual([]);
    expect(await send("/api/embeddings", { prompt: "Hi" })).toEqual({
      status: 200,
      text: '{"embedding":[1]}',
    });
  },
);
