import { afterAll, expect, test } from "bun:test";
import { eventOf, streamOf, wishOf } from "./answers.ts";
import {
  askExchange,
  chatExchange,
  conversationExchange,
  type Exchange,
  streamExchange,
} from "./exchanges.ts";
import { openHttpConnection } from "./http-connection.ts";
import { ResponseReader } from "./response-reader.ts";
import { spreadOf } from "./statistics.ts";
import { createTally } from "./tally.ts";

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 503 Service Unavailable\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n00c\r\nlo\r\n\r\nworld!\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
];
const READ = [
  [200, "hello"],
  [204, ""],
  [503, "hello\r\n\r\nworld!"],
  [200, "x"],
];

test("responses are read correctly wherever the network splits them", () => {
  const whole = Buffer.from(RESPONSES.join(""));
  for (let size = 1; size <= whole.length; size++) {
    const read: [number, string][] = [];
    let body = "";
    const reader = new ResponseReader({
      body: (bytes, from, to) => {
        body += bytes.toString("latin1", from, to);
      },
      end: (status) => {
        read.push([status, body]);
        body = "";
      },
    });
    for (let at = 0; at < whole.length; at += size) reader.push(whole.subarray(at, at + size));
    expect(read, `in pieces of ${size}`).toEqual(READ as [number, string][]);
  }
});

test("a response whose end cannot be known is refused", () => {
  const reader = new ResponseReader({ body: () => {}, end: () => {} });
  expect(() => reader.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"))).toThrow("without a length");
});

/** Returns the answer to a request for the wish in it. */
let answer: (wish: ReturnType<typeof wishOf>, body: object) => string | Response = () => "";
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    const body = (await request.json()) as { content?: string; messages?: { content: string }[] };
    const given = answer(wishOf(body.content ?? body.messages?.[0]?.content ?? ""), body);
    return typeof given === "string" ? new Response(given) : given;
  },
});
afterAll(() => server.stop(true));

async function exchangeOnce(exchange: Exchange) {
  const connection = await openHttpConnection(server.port ?? 0);
  const tally = createTally();
  try {
    await exchange({ connection, token: "t", caller: 7, exchange: 3 }, () => tally);
  } finally {
    connection.close();
  }
  return tally;
}

test("an answer passes only with the caller's own id", async () => {
  answer = ({ id }) => JSON.stringify({ content: `echo: ${id} 0 0 plain` });
  expect((await exchangeOnce(askExchange())).units).toBe(1);
  answer = () => JSON.stringify({ content: "echo: 000700000004 0 0 plain" });
  await expect(exchangeOnce(askExchange())).rejects.toThrow("Wrong answer");
  await expect(exchangeOnce(chatExchange())).rejects.toThrow("Wrong answer");
});

test("a stream passes only if it has every byte once", async () => {
  const streamed = () => exchangeOnce(streamExchange({ deltas: 3, unit: "delta" }));
  answer = ({ id, deltas }) => streamOf(id, deltas);
  const tally = await streamed();
  expect(tally.units).toBeGreaterThan(3);
  expect(tally.firstsMs.length).toBe(1);
  const faults = [
    (text: string) => text.slice(0, -1),
    (text: string) => `${text}\n`,
    (text: string) => text.replace("w0001", "w0002"),
    (text: string) => text + eventOf("[DONE]"),
    (text: string) => text.replaceAll("000700000003", "000700000004"),
  ];
  for (const fault of faults) {
    answer = ({ id, deltas }) => fault(streamOf(id, deltas));
    await expect(streamed()).rejects.toThrow("Wrong answer");
  }
});

test("a refusal is counted only where refusals are expected", async () => {
  answer = () => new Response("full", { status: 503 });
  expect((await exchangeOnce(askExchange({ refusedPauseMs: 1 }))).refused).toBe(1);
  await expect(exchangeOnce(askExchange())).rejects.toThrow("503");
});

test("the spread of numbers has their median and percentiles", () => {
  expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, p10: 1.4, p90: 4.6 });
  expect(spreadOf([2, 1]).median).toBe(1.5);
  expect(spreadOf([]).median).toBeNaN();
});

test("a stream in other bytes passes only if rewriting is allowed and its text is right", async () => {
  const streamed = (isRewritten: boolean) =>
    exchangeOnce(streamExchange({ deltas: 3, unit: "stream", isRewritten }));
  answer = ({ id, deltas }) => streamOf(id, deltas).replaceAll('"model"', '"provider":"p","model"');
  expect((await streamed(true)).units).toBe(1);
  await expect(streamed(false)).rejects.toThrow("Wrong answer");
  answer = ({ id, deltas }) => streamOf(id, deltas).replace("w0001", "w0002");
  await expect(streamed(true)).rejects.toThrow("Wrong answer");
});

test("a caller continues a conversation for its turns, then begins another", async () => {
  const asked: { conversation_id?: string; parent_id?: string }[] = [];
  const exchange = conversationExchange(2);
  answer = (_, body) => {
    asked.push(body);
    const { content, conversation_id = `c${asked.length}` } = body as {
      content: string;
      conversation_id?: string;
    };
    return JSON.stringify({ content: `echo: ${content}`, conversation_id, response_id: `r${asked.length}` });
  };
  const connection = await openHttpConnection(server.port ?? 0);
  for (let index = 0; index < 4; index++)
    await exchange({ connection, token: "t", caller: 1, exchange: index }, createTally);
  connection.close();
  expect(asked.map(({ conversation_id, parent_id }) => [conversation_id, parent_id])).toEqual([
    [undefined, undefined],
    ["c1", "r1"],
    [undefined, undefined],
    ["c3", "r3"],
  ]);
});
