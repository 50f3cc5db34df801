import type { KeyObject } from "node:crypto";
import type { z } from "zod";
import type { Clock } from "../clock.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { publicJwk, signJws } from "./jws.ts";
import { AcmeError, requestError, unreachableError } from "./problem.ts";
import { Directory, Problem } from "./shapes.ts";
import { retryAfterOf, sleep } from "./wait.ts";

export interface ConnectionOptions {
  /** The URL of the CA's directory. */
  directory: string;
  userAgent: string;
  clock: Clock;
  /** Ends what is running, which then rejects with the signal's reason. */
  signal: AbortSignal;
  /** Replaces `fetch` in tests. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** The response of the CA to a request. */
export interface Reply<Body> {
  body: Body;
  location: string | undefined;
  retryAfterMs: number | undefined;
}

const REQUEST_LIMIT_MS = 30_000;
const RESPONSE_BYTES_MAX = 256 * 1024;
/** A nonce that waited too long is refused, and the refusal brings another. A CA may also refuse some on purpose. */
const NONCE_TRIES = 8;
/** A server error is tried again so often, after this time. */
const SERVER_ERROR_TRIES = 3;
const SERVER_ERROR_WAIT_MS = 2_000;

/**
 * Speaks with a CA by the rules of RFC 8555, section 6: signed requests with a nonce each. All methods reject with an
 * `AcmeError`, or with the reason of the signal.
 */
export class Connection {
  readonly directory: Directory;
  readonly #options: ConnectionOptions;
  #nonce: string | undefined;
  /** The account's key, and its URL once that is known. */
  #signer: { key: KeyObject; account: string | undefined } | undefined;

  /** Reads the directory. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const response = await send(options, options.directory, { method: "GET" });
    const text = await readText(response, options.directory);
    if (!response.ok) throw failureOf(response, text, options.clock);
    return new Connection(options, parse(text, Directory, options.directory));
  }

  constructor(options: ConnectionOptions, directory: Directory) {
    this.#options = options;
    this.directory = directory;
  }

  /** Signs all further requests with this key: by the key itself, until the URL of the account is given. */
  signAs(key: KeyObject, account?: string): void {
    this.#signer = { key, account };
  }

  /** Sends a signed request. Without a payload it only reads (POST-as-GET). */
  async post<Shape extends z.ZodType>(
    url: string,
    shape: Shape,
    payload?: unknown,
  ): Promise<Reply<z.output<Shape>>> {
    const { response, text } = await this.#post(url, payload);
    return {
      body: parse(text, shape, url),
      location: response.headers.get("location") ?? undefined,
      retryAfterMs: retryAfterOf(response.headers, this.#options.clock),
    };
  }

  /** Reads what is not JSON: a certificate chain. */
  async readPem(url: string): Promise<string> {
    const { text } = await this.#post(url, undefined, { accept: "application/pem-certificate-chain" });
    return text;
  }

  /** Reads a document that needs no signature. */
  async get<Shape extends z.ZodType>(url: string, shape: Shape): Promise<Reply<z.output<Shape>>> {
    const response = await send(this.#options, url, { method: "GET" });
    const text = await readText(response, url);
    if (!response.ok) throw failureOf(response, text, this.#options.clock);
    const retryAfterMs = retryAfterOf(response.headers, this.#options.clock);
    return { body: parse(text, shape, url), location: undefined, retryAfterMs };
  }

  async #post(url: string, payload: unknown, headers: Record<string, string> = {}) {
    const { clock, signal } = this.#options;
    let serverErrors = 0;
    for (let tries = 1; ; tries++) {
      const response = await send(this.#options, url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/jose+json" },
        body: JSON.stringify(await this.#sign(url, payload)),
      });
      this.#nonce = response.headers.get("replay-nonce") ?? undefined;
      const text = await readText(response, url);
      if (response.ok) return { response, text };
      const failure = failureOf(response, text, clock);
      const isServerError = response.status >= 500 && failure.retryAfterMs === undefined;
      if (isServerError) serverErrors++;
      const mayRepeat = isServerError ? serverErrors < SERVER_ERROR_TRIES : failure.type === "badNonce";
      if (!mayRepeat || tries >= NONCE_TRIES) throw failure;
      if (isServerError) await sleep(clock, SERVER_ERROR_WAIT_MS * serverErrors, signal);
    }
  }

  async #sign(url: string, payload: unknown) {
    const nonce = this.#nonce ?? (await this.#newNonce());
    // A nonce serves once.
    this.#nonce = undefined;
    if (this.#signer === undefined) throw new Error("there is no key to sign with");
    const { key, account } = this.#signer;
    const signer = account === undefined ? { jwk: publicJwk(key) } : { kid: account };
    return signJws(key, { ...signer, nonce, url }, payload);
  }

  async #newNonce(): Promise<string> {
    const url = this.directory.newNonce;
    const response = await send(this.#options, url, { method: "HEAD" });
    const nonce = response.headers.get("replay-nonce");
    if (nonce === null) throw unintelligible(url);
    return nonce;
  }
}

async function send(
  { fetch: call = fetch, userAgent, signal }: ConnectionOptions,
  url: string,
  init: RequestInit & { headers?: Record<string, string> },
): Promise<Response> {
  const limit = AbortSignal.timeout(REQUEST_LIMIT_MS);
  try {
    return await call(url, {
      ...init,
      headers: { ...init.headers, "user-agent": userAgent },
      redirect: "manual",
      signal: AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachableError(url, error);
  }
}

/** Reads a body, up to a size that no response of a CA has. */
async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > RESPONSE_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachableError(url, error);
  }
  if (length > RESPONSE_BYTES_MAX) throw unintelligible(url);
  return Buffer.concat(chunks).toString("utf8");
}

function failureOf(response: Response, text: string, clock: Clock): AcmeError {
  const problem = Problem.safeParse(parseBoundedJson(text)).data ?? { type: "", detail: "" };
  return requestError(problem, response.status, retryAfterOf(response.headers, clock));
}

function parse<Shape extends z.ZodType>(text: string, shape: Shape, url: string): z.output<Shape> {
  const { data, success } = shape.safeParse(parseBoundedJson(text));
  if (!success) throw unintelligible(url);
  return data;
}

function unintelligible(url: string): AcmeError {
  return new AcmeError(
    `${new URL(url).origin} does not answer as an ACME server does. Check --acme-directory.`,
  );
}
