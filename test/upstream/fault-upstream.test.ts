import { describe, expect, test } from "bun:test";
import { chooseSeed } from "../support/random.ts";
import { chatTextOf, eventsOf } from "../support/upstream/events.ts";
import { BEHAVIOURS } from "../support/upstream/fault-behaviours.ts";
import { longAnswer, MALFORMED_EVENTS, piecesOf } from "../support/upstream/fault-content.ts";
import { shareFaultUpstream, startFaultUpstream } from "../support/upstream/start.ts";

const shared = shareFaultUpstream();
const QUESTION = " two  words\n日本語 👩‍🔬 ";
const seed = chooseSeed();

const ask = (model: string, rest: object = {}, signal?: AbortSignal, url = shared().url) =>
  fetch(`${url}/chat/completions`, {
    method: "POST",
    redirect: "manual",
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: QUESTION }], ...rest }),
    ...(signal && { signal }),
  });

/** Parses a body without a type, as the test inspects it. */
const json = async (response: Response) => JSON.parse(await response.text());

test("the fault upstream lists every behaviour as a model, and knows no other model", async () => {
  const list = await json(await fetch(`${shared().url}/models`));
  expect(list.data.map((model: { id: string }) => model.id)).toEqual(Object.keys(BEHAVIOURS));
  const unknown = await ask("unknown");
  expect(unknown.status).toBe(404);
  expect((await json(unknown)).error.code).toBe("model_not_found");
});

describe("answers", () => {
  test("the model echo answers with the question, streamed or not, with usage on request", async () => {
    const streamed = eventsOf(await (await ask("echo", { stream_options: { include_usage: true } })).text());
    const usage = { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 };
    expect(chatTextOf(streamed)).toBe(QUESTION);
    expect(streamed.at(-1)?.data).toBe("[DONE]");
    expect(JSON.parse(streamed.at(-2)?.data ?? "").usage).toEqual(usage);

    const plain = await (await ask("echo")).text();
    expect(plain).not.toContain("usage");
    const whole = await json(await ask("echo", { stream: false }));
    expect(whole.choices[0].message.content).toBe(QUESTION);
    expect(whole.usage).toEqual(usage);
  });

  test("the fault upstream answers responses and embeddings too", async () => {
    const post = async (path: string, body: object) =>
      (await fetch(`${shared().url}/${path}`, { method: "POST", body: JSON.stringify(body) })).text();
    const events = eventsOf(await post("responses", { model: "echo", stream: true, input: QUESTION }));
    const deltas = events.filter(({ event }) => event === "response.output_text.delta");
    expect(deltas.map(({ data }) => JSON.parse(data).delta).join("")).toBe(QUESTION);
    expect(events.at(-1)?.event).toBe("response.completed");
    const embed = async (rest: object) =>
      JSON.parse(await post("embeddings", { model: "echo", input: ["a", "b", "a"], ...rest })).data.map(
        (item: { embedding: unknown }) => item.embedding,
      );
    const [a, b, again] = await embed({});
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
    const [packed] = await embed({ encoding_format: "base64" });
    expect([...new Float32Array(new Uint8Array(Buffer.from(packed, "base64")).buffer)]).toEqual(a);
  });

  test(`the model long gives the same answer for the same seed and size, byte for byte (SEED=${seed})`, async () => {
    const size = 200_000 + (seed % 1000);
    const events = eventsOf(await (await ask("long", { seed, size })).text());
    const expected = longAnswer(seed, size);
    expect(chatTextOf(events)).toBe(expected);
    expect(Buffer.byteLength(expected)).toBe(size);
    expect(longAnswer(seed + 1, size)).not.toBe(expected);
    expect([...piecesOf(expected, seed)].filter((piece) => !piece.isWellFormed())).toEqual([]);
    expect(eventsOf(await (await ask("long-event", { seed, size })).text())).toHaveLength(4);
  });

  test("a question may hold the parameters, for a caller that can only send text", async () => {
    const content = JSON.stringify({ seed, size: 300 });
    const events = eventsOf(await (await ask("long", { messages: [{ role: "user", content }] })).text());
    expect(chatTextOf(events)).toBe(longAnswer(seed, 300));
  });
});

describe("faults", () => {
  test(`a malformed stream has the documented events, wherever it is split (SEED=${seed})`, async () => {
    expect(eventsOf(await (await ask("malformed", { seed })).text())).toEqual([...MALFORMED_EVENTS]);
  });

  test("each faulty model ends its stream as its name says", async () => {
    await shared().reset();
    await expect(ask("dies-first")).rejects.toThrow();
    const dying = await ask("dies");
    await expect(dying.text()).rejects.toThrow();

    const early = eventsOf(await (await ask("ends-early", { chunks: 6 })).text());
    expect(chatTextOf(early)).toBe(`${QUESTION} `);
    expect(early.some(({ data }) => /DONE|"finish_reason":"/.test(data))).toBe(false);
    const failed = eventsOf(await (await ask("error-event")).text());
    expect(JSON.parse(failed.at(-1)?.data ?? "").error.code).toBe("model_failed");
    const plain = await ask("not-sse");
    expect(plain.headers.get("content-type")).toBe("application/json");
    expect((await json(plain)).choices[0].message.content).toBe(QUESTION);
    expect(await shared().open()).toEqual({ open: 0, started: 5, aborted: 0 });
  });

  test.each([
    ["rate-limited", 429, "retry-after", "2"],
    ["broken", 500, "content-type", "application/json"],
    ["broken-html", 502, "content-type", "text/html"],
    ["bad-request", 400, "content-type", "application/json"],
    ["unauthorized", 401, "content-type", "application/json"],
    ["redirects", 307, "location", "/v1/chat/completions"],
  ])("the model %s answers %d with %s: %s", async (model, status, header, value) => {
    const response = await ask(model);
    expect(response.status).toBe(status);
    expect(response.headers.get(header)).toBe(value);
    expect(await response.text()).not.toBe("");
  });

  test("the model fails-times fails as often as requested for each key, then echoes", async () => {
    const statuses = async (key: string) => {
      const found: number[] = [];
      for (let count = 0; count < 4; count++)
        found.push((await ask("fails-times", { key, times: 2 })).status);
      return found;
    };
    await shared().reset();
    expect(await statuses("a")).toEqual([500, 500, 200, 200]);
    expect(await statuses("b")).toEqual([500, 500, 200, 200]);
  });

  test.each([
    ["slow-head", 50],
    ["slow-first", 50],
    ["slow-words", 4 * 50],
  ])("the model %s with a delay of 50 ms takes at least %d ms", async (model, leastMs) => {
    const start = performance.now();
    const events = eventsOf(await (await ask(model, { delay_ms: 50 })).text());
    expect(performance.now() - start).toBeGreaterThan(leastMs - 5);
    expect(chatTextOf(events)).toBe(QUESTION);
  });
});

describe("counts", () => {
  test.each([
    ["never", "no head"],
    ["slow-head", "no head"],
    ["slow-first", "a head"],
    ["stalls", "a head"],
  ])("a request to the model %s is counted as open, with %s, until it is aborted", async (model, head) => {
    const upstream = shared();
    await upstream.reset();
    const abort = new AbortController();
    const pending = ask(model, { delay_ms: 60_000 }, abort.signal);
    await upstream.openUntil(({ open }) => open === 1);
    if (head === "a head") expect((await pending).status).toBe(200);
    abort.abort();
    const rest = pending.then((response) => response.text());
    await expect(rest).rejects.toThrow();
    expect(await upstream.openUntil(({ open }) => open === 0)).toEqual({ open: 0, started: 1, aborted: 1 });
  });
});

test("the fault upstream can be killed in the middle of an answer, and started again at the same port", async () => {
  const upstream = await startFaultUpstream();
  const response = await ask("stalls", {}, undefined, upstream.url);
  const text = response.text();
  upstream.kill("SIGKILL");
  await expect(text).rejects.toThrow();
  await upstream.exited;
  await expect(upstream.open()).rejects.toThrow();
  const again = await startFaultUpstream({ port: upstream.port });
  expect(again.url).toBe(upstream.url);
  expect((await again.open()).started).toBe(0);
});
