import { afterAll, afterEach, beforeAll } from "bun:test";

export interface RecordedRequest {
  /** As `chat/completions`. */
  endpoint: string;
  headers: Headers;
  /** Letter for letter. */
  body: string;
  /** Aborted once the other side is gone. */
  gone: AbortSignal;
  at: number;
}

type Answer = (request: RecordedRequest) => Response | Promise<Response>;

/** An upstream in the test's own process that has every endpoint, and keeps what it is asked. */
export interface RecordingUpstream {
  /** The base URL, `/v1` included. */
  url: string;
  /** Of the present test, but for those by which an agent finds out which endpoints there are. */
  requests: readonly RecordedRequest[];
  /** What is answered from now on, until the test ends. Default: 500. */
  answer(answer: Answer): void;
}

/** For all tests of the file, or of the `describe`, in whose body it is called. */
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

/** A string is sent as it is. */
export const json = (body: object | string, init: ResponseInit = {}): Response =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), {
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

/** A stream of these blocks, each the text of an event; or, where it `stays`, one that then never ends. */
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
