import { describe, expect, test } from "bun:test";
import { type ApiAddress, shareModelApi } from "../support/model-api.ts";
import { anthropicAt, collect, openaiAt, rejectionOf } from "../support/sdks.ts";
import { eventsOf } from "../support/upstream/events.ts";
import { shareModelUpstream } from "../support/upstream/model-upstream.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";

const modelServer = shareModelUpstream();
const faults = shareFaultUpstream();
const api = shareModelApi({
  agents: () => [
    ["--upstream", modelServer().url],
    ["--upstream", faults().url],
  ],
});
const MODEL = { model: "small" };
const TEXT = "two  words\n日本語 👩‍🔬, and many more of them so that there are several pieces";
const TOOLS_TEXT = "How is it in Paris and Rome?";
const parameters = { type: "object", properties: { city: { type: "string" } } };
const names = ["weather", "news"];

const user = (content: string) => [{ role: "user" as const, content }];
const chat = (content: string, rest: object = {}) => ({ ...MODEL, messages: user(content), ...rest });
const withUsage = { stream_options: { include_usage: true } };
const chatTools = { tools: names.map((name) => ({ type: "function", function: { name, parameters } })) };
const responseTools = { tools: names.map((name) => ({ type: "function", name, parameters, strict: false })) };
const messageTools = { tools: names.map((name) => ({ name, input_schema: parameters })) };

const direct = (upstream = modelServer()): ApiAddress => ({ baseURL: upstream.url, apiKey: "any" });
const post = ({ baseURL, apiKey }: ApiAddress, path: string, body: object) =>
  fetch(`${baseURL}/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Numbers the ids of items and calls, which the model upstream chooses at random, so that equal ids stay equal. */
function withoutChance<Value>(value: Value): Value {
  const ids: string[] = [];
  const text = JSON.stringify(value).replace(/\b(msg|fc|item)[-_][\w-]{8,}/g, (id) => {
    if (!ids.includes(id)) ids.push(id);
    return `item ${ids.indexOf(id)}`;
  });
  return JSON.parse(text);
}

const STREAMS: [string, string, object][] = [
  ["a chat", "chat/completions", chat(TEXT)],
  ["a chat with usage", "chat/completions", chat(TEXT, withUsage)],
  ["a chat that refuses usage", "chat/completions", chat(TEXT, { stream_options: { include_usage: false } })],
  ["a chat with tools", "chat/completions", chat(TOOLS_TEXT, chatTools)],
  ["a chat with tools and usage", "chat/completions", chat(TOOLS_TEXT, { ...chatTools, ...withUsage })],
  ["a response", "responses", { ...MODEL, input: TEXT }],
  ["a response with tools", "responses", { ...MODEL, input: TOOLS_TEXT, ...responseTools }],
  ["a message", "messages", chat(TEXT, { max_tokens: 99 })],
  ["a message with tools", "messages", chat(TOOLS_TEXT, { max_tokens: 99, ...messageTools })],
];

describe("streams", () => {
  test.each(STREAMS)("the stream of %s has the upstream's lines, byte for byte", async (_, path, body) => {
    const linesFrom = async (address: ApiAddress) => {
      const text = await (await post(address, path, { ...body, stream: true })).text();
      return withoutChance(text.split("\n"));
    };
    const lines = await linesFrom(direct());
    expect(lines.filter((line) => line.startsWith("data: {")).length).toBeGreaterThan(2);
    expect(await linesFrom(api())).toEqual(lines);
  });

  test.each([
    ["a long answer of odd characters", { model: "long", seed: 7 }],
    ["one event of 300 kB", { model: "long-event", seed: 7, size: 300_000 }],
    ["events with unusual framing and invalid JSON", { model: "malformed", seed: 7 }],
  ])("the stream of %s has the upstream's events", async (_, body) => {
    const eventsFrom = async (address: ApiAddress) => {
      const asked = { ...chat("?", withUsage), ...body, stream: true };
      return eventsOf(await (await post(address, "chat/completions", asked)).text());
    };
    const events = await eventsFrom(direct(faults()));
    expect(events.length).toBeGreaterThan(3);
    expect(await eventsFrom(api())).toEqual(events);
  });
});

test("a whole answer is the upstream's, byte for byte", async () => {
  for (const [, path, body] of STREAMS) {
    const [own, through] = await Promise.all([post(direct(), path, body), post(api(), path, body)]);
    expect(withoutChance(await through.text()), path).toBe(withoutChance(await own.text()));
  }
});

describe("the packages", () => {
  test.each(STREAMS)(
    "a package gets the same events of %s through the server as from the upstream",
    async (_, path, body) => {
      const eventsFrom = async (address: ApiAddress) => {
        const options = { body: { ...body, stream: true }, stream: true };
        const sdk = path === "messages" ? anthropicAt(address) : openaiAt(address);
        const at = path === "messages" ? "/v1/messages" : `/${path}`;
        return withoutChance(await collect((await sdk.post(at, options)) as AsyncIterable<object>));
      };
      const events = await eventsFrom(direct());
      expect(events.length).toBeGreaterThan(2);
      expect(await eventsFrom(api())).toEqual(events);
    },
  );
});

describe("errors of the upstream", () => {
  const read = async (response: Response) => {
    const told = [...response.headers].filter(([name]) => /^(retry-after|x-ratelimit|x-should)/.test(name));
    // The server adds this header with the same time in milliseconds.
    const headers = Object.fromEntries(told.filter(([name]) => name !== "retry-after-ms"));
    return { status: response.status, body: await response.text(), headers };
  };

  test.each([
    ["chat/completions", 400],
    ["chat/completions", 404],
    ["chat/completions", 409],
    ["chat/completions", 422],
    ["chat/completions", 429],
    ["chat/completions", 500],
    ["chat/completions", 503],
    ["responses", 400],
    ["responses", 429],
    ["responses", 500],
    ["messages", 400],
    ["messages", 429],
    ["messages", 500],
    ["messages", 529],
  ])(
    "a request to %s that the upstream refuses with %i gets its status, body and retry headers",
    async (path, status) => {
      for (const stream of [false, true]) {
        const body = { ...chat(`fail with ${status}`), input: `fail with ${status}`, max_tokens: 9, stream };
        const own = await read(await post(direct(), path, body));
        expect(own.status).toBe(status);
        const response = await post(api(), path, body);
        expect(response.headers.get("x-request-id")).toMatch(/^req_/);
        expect(response.headers.get("content-type")).toStartWith("application/json");
        expect(await read(response)).toEqual(own);
      }
    },
  );

  test("the openai package throws the same error through the server as from the upstream itself", async () => {
    const thrownFrom = async (address: ApiAddress, model: string) => {
      const thrown = await rejectionOf(
        openaiAt(address).chat.completions.create({ model, messages: user("?"), stream: true }),
      );
      const { status, message, code, type, param } = thrown as Record<string, unknown>;
      return [(thrown as Error).constructor.name, status, message, code, type, param];
    };
    for (const model of ["bad-request", "rate-limited", "broken"])
      expect(await thrownFrom(api(), model)).toEqual(await thrownFrom(direct(faults()), model));
  });
});
