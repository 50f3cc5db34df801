import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { chunk, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

const HELLO = [{ role: "user", content: "hi" }];
const FINE = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }],
});

/** Starts a server whose agent's upstream refuses each request that has one of these fields. */
async function scene(...refused: string[]) {
  const bodies: Record<string, unknown>[] = [];
  const { server, post } = await startModelScene({
    hello: { ...V2_HELLO, models: [{ id: "m" }], endpoints: ["chat/completions"] },
    onAsk: ({ ask, body, stream }, agent) => {
      const given = JSON.parse(body);
      bodies.push(given);
      const name = refused.find((candidate) => candidate in given);
      if (name !== undefined) {
        const error = {
          message: `Unsupported parameter: '${name}'`,
          param: name,
          code: "unsupported_parameter",
        };
        agent.say({ type: "done", ask, status: 400, body: JSON.stringify({ error }) });
      } else if (stream) streamPieces(agent, ask, ["fine"]);
      else agent.say({ type: "done", ask, status: 200, body: FINE });
    },
  });
  const ask = (body: object) =>
    fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify({ model: "m", content: "hi", ...body }),
    });
  return { bodies, post, ask };
}

test("a limit of the answer's length reaches an upstream that wants it under its newer name", async () => {
  const { bodies, post } = await scene("max_tokens");
  expect((await post("messages", { model: "m", max_tokens: 100, messages: HELLO })).status).toBe(200);
  expect((await post("responses", { model: "m", max_output_tokens: 100, input: "hi" })).status).toBe(200);
  expect(bodies.map(({ max_tokens, max_completion_tokens }) => [max_tokens, max_completion_tokens])).toEqual([
    [100, undefined],
    [undefined, 100],
    [undefined, 100],
  ]);
});

test("a streamed chat gets its answer from an upstream that knows no stream_options", async () => {
  const { bodies, post } = await scene("stream_options");
  const chat = { model: "m", stream: true, messages: HELLO, seed: 7 };
  const text = await (await post("chat/completions", chat)).text();
  expect(text).toBe(`data: ${chunk("fine")}\n\ndata: [DONE]\n\n`);
  expect(bodies).toEqual([{ ...chat, stream_options: { include_usage: true } }, chat]);
});

test("the caller's own stream_options stay, and a refusal of them is passed on", async () => {
  const { bodies, post } = await scene("stream_options");
  const chat = { model: "m", stream: true, messages: HELLO, stream_options: { include_obfuscation: false } };
  const response = await post("chat/completions", chat);
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("stream_options")]);
  expect(bodies.at(-1)).toEqual(chat);
});

test("a caller's own max_tokens is never renamed", async () => {
  const { bodies, post } = await scene("max_tokens");
  const response = await post("chat/completions", { model: "m", max_tokens: 9, messages: HELLO });
  expect([response.status, bodies.length]).toEqual([400, 1]);
});

test("an upstream that cannot stream answers whole, and the caller still gets events", async () => {
  const { bodies, post } = await scene("stream");
  const events = await (
    await post("messages", { model: "m", max_tokens: 9, stream: true, messages: HELLO })
  ).text();
  expect(events).toContain("fine");
  expect(events).toContain("event: message_stop");
  expect(bodies.map((body) => "stream" in body || "stream_options" in body)).toEqual([true, false]);
});

test("an upstream that knows few fields takes a request of Codex after two refusals", async () => {
  const { bodies, post } = await scene("parallel_tool_calls", "verbosity");
  const tools = [{ type: "function", name: "f", parameters: {}, strict: false }];
  const more = { parallel_tool_calls: true, text: { verbosity: "low" }, reasoning: { effort: "low" } };
  const response = await post("responses", { model: "m", input: "hi", tools, ...more });
  expect([response.status, bodies.length]).toEqual([200, 3]);
  expect(bodies.at(-1)).toMatchObject({ reasoning_effort: "low", tools: [{ function: { strict: false } }] });
});

test("a question of /api/ask is answered by an upstream that knows neither stream_options nor streams", async () => {
  for (const refused of ["stream_options", "stream"]) {
    const { bodies, ask } = await scene(refused);
    expect(await (await ask({})).json()).toMatchObject({ content: "fine" });
    expect(bodies.map((body) => refused in body)).toEqual([true, false]);
  }
});
