import { expect, onTestFinished, test } from "bun:test";
import { startBuiltinAgent } from "../../builtin-agent/start.ts";
import { startBlockingProxy } from "../../support/blocking-proxy.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

const seed = chooseSeed();
const STREAMS = 200;
const AT_ONCE = 20;
const PIECES_MAX = 40;
const PIECE_LENGTH_MAX = 12_000;
/** One answer in three comes at once. */
const FAST = 3;

/** The pieces of the answer to a question, which is the number of a stream. */
function piecesOf(question: string): string[] {
  const random = createRandom(seed + Number(question));
  const length = () => random.below(random.below(6) === 0 ? PIECE_LENGTH_MAX : 80);
  return Array.from(
    { length: 1 + random.below(PIECES_MAX) },
    (_, index) => `${index}:${random.pick(["ä", "x", "\n", "\u{1f600}"]).repeat(length())}`,
  );
}

/** A model server that streams the pieces of each question, and counts the questions. */
function startUpstream() {
  const asked = new Map<string, number>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      if (request.url.endsWith("/models")) return Response.json({ data: [{ id: "m" }] });
      const body = (await request.json()) as { messages?: { content: string }[] };
      const question = body.messages?.[0]?.content;
      if (question === undefined) return new Response("{}", { status: 400 });
      asked.set(question, (asked.get(question) ?? 0) + 1);
      async function* events() {
        for (const content of piecesOf(question ?? "")) {
          yield `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
          if (Number(question) % FAST > 0) await Bun.sleep(4);
        }
        yield `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`;
        yield "data: [DONE]\n\n";
      }
      return new Response(events(), { headers: { "content-type": "text/event-stream" } });
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}/v1`, asked };
}

async function stream(url: string, question: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: question }] }),
  });
  const data = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(([, event = ""]) => event);
  return data
    .filter((event) => event !== "[DONE]")
    .map((event) => JSON.parse(event).choices?.[0]?.delta?.content ?? `end ${event}`)
    .filter((piece) => !piece.startsWith("end {") || piece.includes("error"));
}

test(`${STREAMS} streams by long-polling lose and repeat nothing when requests are cut at random (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const server = await startTestServer();
  const upstream = startUpstream();
  const proxy = await startBlockingProxy(Number(new URL(server.url).port), { random });
  const builtin = startBuiltinAgent(
    { host: `127.0.0.1:${proxy.port}` },
    { upstream: upstream.url, agentKey: server.agentKey, slots: AT_ONCE, random: () => 0 },
  );
  await until(() => builtin.printed.some((line) => line.startsWith("connected")));
  proxy.cutWithin(40);
  const numbers = Array.from({ length: STREAMS }, (_, index) => String(index));
  const wrong: string[] = [];
  const work = async () => {
    for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) {
      const got = await stream(server.url, next);
      if (JSON.stringify(got) !== JSON.stringify(piecesOf(next)))
        wrong.push(`${next}: ${JSON.stringify(got).slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(wrong).toEqual([]);
  expect([...upstream.asked.values()].filter((times) => times !== 1)).toEqual([]);
  expect(upstream.asked.size).toBe(STREAMS);
  expect(proxy.cuts()).toBeGreaterThan(10);
  expect(builtin.printed.filter((line) => line.includes("reconnecting")).length).toBe(2);
});
