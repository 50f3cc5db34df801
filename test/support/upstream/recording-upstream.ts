import { afterAll, afterEach, beforeAll } from "bun:test";

export interface RecordedRequest {
  /** Such as `chat/completions`. */
  endpoint: string;
  headers: Headers;
  /** The unparsed text. */
  body: string;
  /** Aborted once the other side is gone. */
  gone: AbortSignal;
  at: number;
}

type Answer = (request: RecordedRequest) => Response | Promise<Response>;

/** An upstream in the process of the test that has every endpoint, and records its requests. */
export interface RecordingUpstream {
  /** The base URL, which ends with `/v1`. */
  url: string;
  /** The requests of the current test, without those with which an agent discovers the endpoints. */
  requests: readonly RecordedRequest[];
  /** Sets the answer to further requests until the test ends. Default: 500. */
  answer(answer: Answer): void;
}

/** Starts one for all tests of the calling file or `describe` block. */
export function shareRecordingUpstream(models: readonly string[]): () => RecordingUpstream {
  const unexpected: Answer = () => json({ error: { message: "unexpected" } }, { status: 500 });
  let answer = unexpected;
  let requests: RecordedRequest[] = [];
  const fetch = async (request: Request) => {
    const endpoint = new URL(request.url).pathname.replace("/v1/", "");
    if (endpoint === "models") return json({ object: "list", data: models.map((id) => ({ id })) });
    const body = await request.text();
    if (body === "{}") return json({ error: { message: "A model is missing" } }, { status: 400 });
    const { headers, signal } = request;
    const recorded = { endpoint, headers, body, gone: signal, at: performance.now() };
    requests.push(recorded);
    return answer(recorded);
  };
  let server: ReturnType<typeof Bun.serve> | undefined;
  beforeAll(() => {
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, development: false, fetch });
  });
  afterEach(() => {
    answer = unexpected;
    requests = [];
  });
  afterAll(() => server?.stop(true));
  return () => ({
    url: `http://127.0.0.1:${server?.port}/v1`,
    get requests() {
      return requests;
    },
    answer(given) {
      answer = given;
    },
  });
}

/** Returns a JSON response; a string is sent unchanged. */
export const json = (body: object | string, init: ResponseInit = {}): Response =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), {
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

/** Returns a stream of these blocks, each the text of an event. With `stays` it never ends. */
export function eventStream(blocks: readonly string[], { stays = false } = {}): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const block of blocks) controller.enqueue(encoder.encode(`${block}\n\n`));
      if (!stays) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
