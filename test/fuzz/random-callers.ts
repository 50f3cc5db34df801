import { createDocument } from "../../src/http/docs/document.ts";
import { ROUTES } from "../../src/http/resources.ts";
import {
  type ByteSource,
  connectSource,
  type ResponseHead,
  takeBody,
  takeHead,
} from "../support/byte-source.ts";
import { createAnswerCheck } from "../support/description/answer-check.ts";
import { createRandom, type Random } from "../support/random.ts";
import type { Tally } from "./random-load.ts";
import { type Known, type RandomRequest, randomRequest } from "./random-requests.ts";

/** A sound request must be answered in this time, since the server's own time limits are shorter. */
const ANSWER_MS = 60_000;
/** The server may keep silent after a request that is not sound. */
const SILENCE_MS = 100;
const PIPELINED_MAX = 6;
const CHECKED_LENGTH_MAX = 256 * 1024;

interface CallersOptions {
  url: string;
  /** Returns the keys and names at this moment. */
  known: () => Known;
  seed: number;
  count: number;
  /** How many connections send at once. */
  connections: number;
  tally: Tally;
  /** Ends the run early. */
  signal: AbortSignal | undefined;
}

/** Sends random requests over several connections, and checks every response. */
export async function runCallers(options: CallersOptions): Promise<void> {
  const check = createAnswerCheck(createDocument("test", ROUTES));
  let left = options.count;
  const goesOn = () => left > 0 && !options.signal?.aborted;
  const runOne = async (index: number) => {
    const random = createRandom(options.seed + index);
    while (goesOn()) {
      const source = connectSource(options.url, `127.0.0.${2 + random.below(200)}`);
      do {
        const sent = await sendBatch(source, options, random, check);
        left -= sent;
      } while (goesOn() && !source.done && random.next() < 0.9);
      source.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: options.connections }, (_, index) => runOne(index)));
}

type Check = ReturnType<typeof createAnswerCheck>;

/** Sends some requests at once, reads their responses, and returns the number of requests. */
async function sendBatch(
  source: ByteSource,
  options: CallersOptions,
  random: Random,
  check: Check,
): Promise<number> {
  const size = random.next() < 0.8 ? 1 : 1 + random.below(PIPELINED_MAX);
  const requests: RandomRequest[] = [];
  while (requests.length < size && !requests.at(-1)?.isLast)
    requests.push(randomRequest(options.known(), random));
  const bytes = Buffer.concat(requests.map((request) => request.bytes));
  const half = random.next() < 0.1 ? random.below(bytes.length) : 0;
  if (half > 0) {
    source.write(bytes.subarray(0, half));
    await new Promise(setImmediate);
  }
  source.write(bytes.subarray(half));
  for (const request of requests) {
    const isOver = await receive(source, request, { ...options, isPipelined: requests.length > 1 }, check);
    options.tally.requests++;
    if (isOver) {
      source.socket.destroy();
      source.done = true;
      break;
    }
  }
  return requests.length;
}

/** Reads a response. Resolves with whether the connection is over. */
async function receive(
  source: ByteSource,
  request: RandomRequest,
  { tally, url, isPipelined }: CallersOptions & { isPipelined: boolean },
  check: Check,
): Promise<boolean> {
  const { method, target, isSound } = request;
  const limit = setTimeout(
    () => {
      if (isSound) tally.fault(`${method} ${target}: no whole response within ${ANSWER_MS} ms`);
      source.socket.destroy();
    },
    isSound ? ANSWER_MS : SILENCE_MS,
  );
  try {
    const head = await takeLastHead(source);
    if (!head) {
      // The runtime closes the connection if a request comes before the response to the one before it.
      if (isPipelined || !isSound) tally.note("closed without a response");
      else tally.fault(`${method} ${target}: closed without a response`);
      return true;
    }
    const text = hasBody(request, head) ? await takeBody(source, head) : "";
    tally.note(String(head.status));
    if (isSound && !source.done) judge({ method, url: url + target, ...head, text }, tally, check);
    // What is left of a broken request may be served, and the agent may fail.
    else if (head.status >= 500 && !head.headers.has("x-request-id"))
      tally.fault(`${method} ${target}: ${head.status}`);
    return request.isLast || head.status === 101 || head.headers.get("connection") === "close";
  } finally {
    clearTimeout(limit);
  }
}

/** Takes the head of a response, after any interim ones. */
async function takeLastHead(source: ByteSource): Promise<ResponseHead | undefined> {
  let head = await takeHead(source);
  while (head && head.status < 200 && head.status !== 101) head = await takeHead(source);
  return head;
}

const hasBody = ({ method }: RandomRequest, { status }: ResponseHead) =>
  method !== "HEAD" && status >= 200 && status !== 204 && status !== 304;

/** Matches the routes that agents answer, those of Ollama's API included. */
const MODEL_PATH = /^\/(v1\/|api\/(chat|generate|embed|embeddings)$)/;

function judge(answer: Parameters<Check>[0] & { text: string }, tally: Tally, check: Check): void {
  const { method, url, status, headers, text, ...rest } = answer;
  // The body of a model's error may be that of an agent, which sends anything.
  const isOwn = status < 400 || !MODEL_PATH.test(new URL(url).pathname);
  if (status === 500 && (isOwn || text.includes("Internal server error")))
    tally.fault(`${method} ${url} 500: ${text.slice(0, 300)}`);
  // Responses of the runtime itself have no id.
  if (!headers.has("x-request-id")) {
    if (status >= 500) tally.fault(`${method} ${url} ${status} without an id`);
    return;
  }
  const isStream = headers.get("content-type")?.startsWith("text/event-stream");
  const isChecked = isOwn && !isStream && text.length <= CHECKED_LENGTH_MAX;
  const faults = check({ method, url, status, headers, ...rest, ...(isChecked && { text }) });
  for (const fault of faults) tally.fault(`${method} ${url.slice(0, 200)} ${status}: ${fault}`);
}
