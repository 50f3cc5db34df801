import { field, parseJson, textField } from "../../../src/json/parse.ts";
import { failureOf } from "../../../src/protocol/chat-ending.ts";
import { builtMessage, type Seen, seenMessage, seenResponse } from "../../http/models/both-translations.ts";
import { expectWholeAnswer } from "../../http/models/responses/order.ts";
import { eventsOf, type StreamedEvent } from "../upstream/events.ts";
import type { ModelOutput } from "./answers.ts";
import type { Reply } from "./callers.ts";
import type { FuzzCase, Surface } from "./case.ts";
import { expectMessageOrder } from "./message-order.ts";

/** The statuses of errors that docs/api.md names, besides those of an upstream that are passed on. */
const ERROR_STATUSES = new Set([400, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529]);
/** Matches words that a fault in the server leaves in a text. */
const NONSENSE = /\bundefined\b|\[object Object\]|\bNaN\b|\bnull\b|^\s*$/;

type Wanted = Pick<FuzzCase, "surface" | "verdict">;

/** Throws an error that says what is wrong with the reply, if anything is. */
export function checkReply(given: FuzzCase, reply: Reply | undefined): void {
  if (!reply) throw new Error("the request hangs");
  if (reply.status !== 200) {
    checkError(given, reply);
    return;
  }
  const isStream = reply.type.startsWith("text/event-stream");
  if (isStream !== given.stream) throw new Error(`the content type is ${reply.type}`);
  if (isStream) checkStream(given, reply.text);
  else checkWhole(given, reply.text);
}

function checkError(given: FuzzCase, { status, text, type }: Reply): void {
  if (given.verdict === "right") throw new Error(`status ${status}: ${text}`);
  if (!ERROR_STATUSES.has(status)) throw new Error(`an error with status ${status}`);
  if (!type.startsWith("application/json")) throw new Error(`an error as ${type}`);
  expectErrorBody(given, parseJson(text), text);
}

function expectErrorBody({ surface, verdict }: Wanted, body: unknown, text: string): void {
  const isNonsense = (words: string) => words.trim() === "" || (verdict !== "clear" && NONSENSE.test(words));
  const message = surface === "ask" ? textField(body, "error") : textField(field(body, "error"), "message");
  if (message === undefined || isNonsense(message)) throw new Error(`an error that says nothing: ${text}`);
  if (surface === "messages" && textField(body, "type") !== "error")
    throw new Error(`not Anthropic's: ${text}`);
  const err = field(body, "err");
  if (err !== undefined && isNonsense(String(err))) throw new Error(`a reason that says nothing: ${text}`);
}

function checkWhole({ verdict, surface, output, passed }: FuzzCase, text: string): void {
  if (verdict === "error") throw new Error(`a failure became a success: ${text}`);
  const body = parseJson(text);
  if (surface === "chat") {
    if (passed && verdict === "right" && text !== passed[0]?.replace(/^\ufeff/, ""))
      throw new Error(`a body that was not passed on as it came: ${text}`);
    if (body === undefined) throw new Error(`a success that is not JSON: ${text}`);
    return;
  }
  if (typeof body !== "object" || body === null) throw new Error(`no answer: ${text}`);
  const isClear = verdict === "clear";
  if (surface === "ask") expectText(textField(body, "content"), output.text, isClear);
  else expectSeen(surface === "messages" ? seenMessage(body) : seenResponse(body), output, isClear);
}

function checkStream(given: FuzzCase, text: string): void {
  const events = eventsOf(text);
  if (!/\n\n$/.test(text) || events.length === 0)
    throw new Error(`a stream that is torn: ${JSON.stringify(text)}`);
  const data = events.map((event) => (event.data === "[DONE]" ? undefined : parseJson(event.data)));
  const failure = failureIn(given, events, data);
  if (failure && given.verdict === "right")
    throw new Error(`a right answer failed: ${JSON.stringify(failure)}`);
  if (!failure && given.verdict === "error") throw new Error(`a failure became a success: ${text}`);
  CHECKS[given.surface](given, events, data, failure !== undefined);
}

/** Returns the failure that the last event of a stream tells; of a chat, any event, as they are passed on. */
function failureIn(given: Wanted, events: readonly StreamedEvent[], data: unknown[]): unknown {
  const last = data.findLast((value) => value !== undefined);
  switch (given.surface) {
    case "chat":
      return data.find((value) => isChatError(value));
    case "ask":
      return textField(last, "error") ? expectInBand(given, last, events) : undefined;
    case "messages":
      return textField(last, "type") === "error" ? expectInBand(given, last, events) : undefined;
    case "responses": {
      if (textField(last, "type") === "error")
        return expectInBand({ ...given, surface: "ask" }, { error: textField(last, "message") }, events);
      const error = field(field(last, "response"), "error");
      return error == null ? undefined : expectInBand(given, { error }, events);
    }
  }
}

const isChatError = (value: unknown): boolean => failureOf(value) !== undefined;

function expectInBand(given: Wanted, body: unknown, events: readonly StreamedEvent[]): unknown {
  expectErrorBody(given, body, JSON.stringify(body));
  if (events.some(({ data }) => data === "[DONE]")) throw new Error("[DONE] in a stream that failed");
  return body;
}

type StreamCheck = (given: FuzzCase, events: StreamedEvent[], data: unknown[], hasFailed: boolean) => void;

const CHECKS: Record<Surface, StreamCheck> = {
  chat({ passed, usage, verdict }, events, data, hasFailed) {
    const isDone = events.at(-1)?.data === "[DONE]";
    if (!isDone && !hasFailed) throw new Error("a stream without [DONE] and without an error");
    if (!passed || verdict !== "right") return;
    const wanted = passed.flatMap((text) => shownChunk(text, usage));
    const got = data.filter((value) => value !== undefined).map((value) => JSON.stringify(value));
    if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(firstDifference(got, wanted));
  },
  ask({ verdict, output }, events, data, hasFailed) {
    if (hasFailed) return;
    if (events.at(-1)?.data !== "[DONE]") throw new Error("a stream without [DONE]");
    const whole = data.findLast((value) => value !== undefined);
    const deltas = data.map((value) => textField(value, "delta") ?? "").join("");
    if (textField(whole, "content") !== deltas) throw new Error("the deltas differ from the whole answer");
    expectText(deltas, output.text, verdict === "clear");
  },
  messages({ verdict, output }, events, data, hasFailed) {
    expectMessageOrder(events, data);
    if (!hasFailed) expectSeen(seenMessage(builtMessage(data)), output, verdict === "clear");
  },
  responses({ verdict, output }, events, data, hasFailed) {
    if (textField(data.at(-1), "type") === "error") return;
    const response = expectWholeAnswer(events.map(({ event = "", data: text }) => ({ event, data: text })));
    if (!hasFailed) expectSeen(seenResponse(response), output, verdict === "clear");
  },
};

/** Returns the JSON of a chunk as the caller of the same API must get it. */
function shownChunk(text: string, usage: boolean): string[] {
  const chunk = parseJson(text);
  if (usage || field(chunk, "usage") === undefined) return [JSON.stringify(chunk)];
  const { usage: told, ...rest } = chunk as Record<string, unknown>;
  const { choices } = rest;
  const isEmpty = !Array.isArray(choices) || choices.length === 0;
  return told !== null && isEmpty ? [] : [JSON.stringify(rest)];
}

function expectText(got: string | undefined, wanted: string, isClear: boolean): void {
  if (got === undefined || (!isClear && got !== wanted.toWellFormed()))
    throw new Error(`the text ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

/** Fails unless the caller sees what the model said. */
function expectSeen(seen: Seen, output: ModelOutput, isClear: boolean): void {
  for (const { name, input, id } of seen.calls)
    if (!name || !id || (!isClear && (typeof input !== "object" || input === null)))
      throw new Error(`a call ${JSON.stringify(seen)}`);
  if (new Set(seen.calls.map(({ id }) => id)).size < seen.calls.length)
    throw new Error("two calls with one id");
  if (seen.end.startsWith("failed")) throw new Error("a failure that was not told as one");
  if (isClear) return;
  const isCut = output.ending === "length" || output.ending === "content_filter";
  const { text, reasoning } = output;
  const wanted = { end: isCut ? "cut" : "complete", text, reasoning, calls: output.calls };
  const calls = seen.calls.map(({ name, input }) => ({ name, input }));
  const got = { end: seen.end, text: seen.text, reasoning: seen.reasoning, calls };
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${JSON.stringify(got)}\ninstead of\n${JSON.stringify(wanted)}`);
}

function firstDifference(got: readonly string[], wanted: readonly string[]): string {
  const at = wanted.findIndex((text, index) => got[index] !== text);
  return `${got.length} events, ${got[at]}\ninstead of ${wanted.length}, ${wanted[at]}`;
}
