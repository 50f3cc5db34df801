import { contentOf, HELD_MS, idOf, MODEL, type Wish } from "../answers.ts";
import { metricOf } from "../server-metrics.ts";
import { connectAgents } from "../targets.ts";
import { BUSY } from "../waiting.ts";
import type { Target, Workshop } from "../workshop.ts";
import { type LargeAnswer, type LargeExchange, openLarge } from "./large-exchange.ts";

const RETRY_MS = 1_000;
const POLL_MS = 200;
const WITHIN_MS = 180_000;

let exchanges = 0;

const wish = (more: Partial<Wish>): string =>
  contentOf({ id: idOf(9_000, ++exchanges), deltas: 0, pauseMs: 0, ...more });

interface More {
  bytes?: number;
  stream?: boolean;
  model?: string;
}

/** Returns a request whose last message is the wish, and whose first one has so many bytes. */
function requestOf({ port, adminKey }: Target, content: string, more: More = {}) {
  const { bytes = 0, stream = false, model = MODEL } = more;
  return {
    ...{ port, token: adminKey, fillingBytes: bytes },
    head: `{"model":"${model}","stream":${stream},"messages":[{"role":"user","content":"`,
    tail: `"},{"role":"user","content":"${content}"}]}`,
  };
}

/** Sends bodies of a size all at once, and again those that were refused. Resolves with what happened. */
export async function sendBodies(target: Target, count: number, bytes: number): Promise<string> {
  let refused = 0;
  const sendOne = async () => {
    for (;;) {
      const exchange = await openLarge(requestOf(target, wish({ pauseMs: BUSY_MS }), { bytes }));
      const { status, begin } = await exchange.answer;
      if (status === 200) return;
      if (status !== 503 && status !== 429)
        throw new Error(`A large body was answered with ${status}: ${begin}`);
      refused++;
      await Bun.sleep(RETRY_MS);
    }
  };
  await Promise.all(Array.from({ length: count }, sendOne));
  return refused === 0 ? "none refused" : `${refused} refused, and sent again`;
}

/** How long an agent takes for an answer, so that the bodies are at the server at the same time. */
const BUSY_MS = 5_000;

/** Lets callers ask for answers of a size, and read only when the server has sent them all. */
export async function awaitAnswers(target: Target, count: number, bytes: number): Promise<string> {
  const before = await metricOf(target, "chatgpt_api_asks_total");
  const open = await openAll(count, () => requestOf(target, wish({ padding: bytes })));
  for (const exchange of open) exchange.pause();
  await until(async () => (await metricOf(target, "chatgpt_api_asks_total")) >= before + count);
  for (const exchange of open) exchange.resume();
  const answers = await Promise.all(open.map(({ answer }) => answer.catch(() => undefined)));
  const isWhole = (answer: LargeAnswer | undefined) => answer?.status === 200 && answer.bytes > bytes;
  return `${answers.filter(isWhole).length} of ${count} read to the end`;
}

/** Lets callers begin streams and read nothing of them, until the server has ended each. */
export async function ignoreStreams(target: Target, count: number): Promise<string> {
  const before = await metricOf(target, "chatgpt_api_asks_total");
  const content = () => wish({ deltas: STREAM_BYTES / DELTA_BYTES, padding: DELTA_BYTES });
  const open = await openAll(count, () => requestOf(target, content(), { stream: true }));
  for (const exchange of open) exchange.pause();
  const ended = async () => (await metricOf(target, "chatgpt_api_asks_total")) - before;
  await until(async () => (await ended()) >= count);
  for (const exchange of open) exchange.close();
  return `${await ended()} streams ended, each after 8 MB at most`;
}

/** Lets bodies of a size wait for an agent that has no slot for them, until the server is stopped. */
export async function queueBodies(
  workshop: Workshop,
  target: Target,
  count: number,
  bytes: number,
): Promise<void> {
  await connectAgents(workshop, target, { protocol: "v2", count: 1, models: [BUSY] });
  const request = () => requestOf(target, wish({ pauseMs: HELD_MS }), { bytes, model: BUSY });
  await openAll(count + 1, request);
  await until(async () => (await metricOf(target, "chatgpt_api_queue_length")) >= count);
}

const STREAM_BYTES = 8 * 1024 * 1024;
const DELTA_BYTES = 16 * 1024;

async function openAll(
  count: number,
  request: () => Parameters<typeof openLarge>[0],
): Promise<LargeExchange[]> {
  const open: LargeExchange[] = [];
  for (let index = 0; index < count; index++) open.push(await openLarge(request()));
  return open;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await isSo()); await Bun.sleep(POLL_MS))
    if (performance.now() - began > WITHIN_MS) throw new Error("A load of the memory scenario did not end.");
}
