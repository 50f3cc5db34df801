import { afterEach } from "bun:test";
import { createDocument } from "../../../src/http/docs/document.ts";
import { ROUTES } from "../../../src/http/resources.ts";
import { type CheckedAnswer, createAnswerCheck } from "./answer-check.ts";

/** The ports of the servers whose responses are checked, and how often each was asked for. */
const servers = new Map<string, number>();
const faults: string[] = [];
let check: ReturnType<typeof createAnswerCheck> | undefined;

/**
 * Checks each response of the server from now on: one that differs from the document fails the test. Returns
 * a function that ends this.
 */
export function expectDescribed(url: string): () => void {
  const { port } = new URL(url);
  servers.set(port, (servers.get(port) ?? 0) + 1);
  return () => {
    const count = (servers.get(port) ?? 1) - 1;
    if (count === 0) servers.delete(port);
    else servers.set(port, count);
  };
}

/** Checks a response that did not come from `fetch`. */
export function checkDescribed(answer: CheckedAnswer): void {
  if (!servers.has(new URL(answer.url).port)) return;
  check ??= createAnswerCheck(createDocument("test", ROUTES));
  const { method, url, status, text = "" } = answer;
  for (const fault of check(answer))
    faults.push(`${method} ${url} ${status}: ${fault}\n${text.slice(0, 500)}`);
}

/** Returns the faults that were found since the last call. */
export const takeFaults = (): string[] => faults.splice(0);

afterEach(() => {
  const found = takeFaults();
  if (found.length > 0) throw new Error(`not as GET /openapi.json says:\n${found.join("\n")}`);
});

const plainFetch = globalThis.fetch;

async function checkedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await plainFetch(input, init);
  const request = input instanceof Request ? input : undefined;
  const url = request?.url ?? String(input);
  if (!URL.canParse(url) || !servers.has(new URL(url).port)) return response;
  const { status, headers } = response;
  const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
  const isStream = /^(text\/event-stream|application\/x-ndjson)\b/.test(headers.get("content-type") ?? "");
  // A body that breaks off is for the test to deal with.
  const text = isStream
    ? undefined
    : await response
        .clone()
        .text()
        .catch(() => undefined);
  checkDescribed({ method, url, status, headers, ...(text !== undefined && { text }) });
  return response;
}

globalThis.fetch = Object.assign(checkedFetch, { preconnect: plainFetch.preconnect });
