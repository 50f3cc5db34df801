import { afterAll, afterEach, beforeAll } from "bun:test";
import { eventStream, json } from "./recording-upstream.ts";
import { type Refusal, readStrictly, type StrictRequest } from "./strict-request.ts";

/** The answer of the upstream: text, a call of one of the tools, or both. */
export interface ScriptedAnswer {
  text?: string;
  reasoning?: string;
  calls?: { name: string; arguments: object }[];
}

type Script = (request: StrictRequest) => ScriptedAnswer;

/** An upstream with chat completions only, which refuses whatever `readStrictly` does. */
export interface StrictUpstream {
  /** The base URL, which ends with `/v1`. */
  url: string;
  /** The requests of the current test that were answered, and those that were refused. */
  requests: readonly StrictRequest[];
  refusals: readonly (Refusal & { body: unknown })[];
  /** Sets the answers until the test ends. */
  script(script: Script): void;
}

const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** Returns a script that calls the tool first, and answers with text once its result is there. */
export const callThenText =
  (name: string, args: object, text: string): Script =>
  ({ messages }) =>
    messages.at(-1)?.role === "tool" ? { text } : { calls: [{ name, arguments: args }] };

export function startStrictUpstream(models: readonly string[], unknown: readonly string[] = []) {
  const unexpected: Script = () => ({ text: "unexpected" });
  let script = unexpected;
  let requests: StrictRequest[] = [];
  let refusals: (Refusal & { body: unknown })[] = [];
  const fetch = async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/models") return json({ object: "list", data: models.map((id) => ({ id })) });
    if (pathname !== "/v1/chat/completions") return json({ detail: "Not Found" }, { status: 404 });
    const body: unknown = await request.json();
    const read = readStrictly(body, unknown);
    if (!("status" in read)) {
      requests.push(read);
      return answerOf(read, script(read), requests.length);
    }
    // An agent discovers the endpoints with an empty body.
    if (JSON.stringify(body) !== "{}") refusals.push({ ...read, body });
    const error = { message: read.message, type: "BadRequestError", param: null, code: read.status };
    return json({ error }, { status: read.status });
  };
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, development: false, fetch });
  const upstream: StrictUpstream = {
    url: `http://127.0.0.1:${server.port}/v1`,
    get requests() {
      return requests;
    },
    get refusals() {
      return refusals;
    },
    script(given) {
      script = given;
    },
  };
  const reset = () => {
    script = unexpected;
    requests = [];
    refusals = [];
  };
  return { upstream, reset, stop: () => server.stop(true) };
}

/**
 * Starts one for all tests of the calling file or `describe` block. It refuses the `unknown` fields, too.
 */
export function shareStrictUpstream(
  models: readonly string[],
  unknown: readonly string[] = [],
): () => StrictUpstream {
  let started: ReturnType<typeof startStrictUpstream> | undefined;
  beforeAll(() => {
    started = startStrictUpstream(models, unknown);
  });
  afterEach(() => started?.reset());
  afterAll(() => started?.stop());
  return () => {
    if (!started) throw new Error("the upstream runs only during the tests");
    return started.upstream;
  };
}

function answerOf({ model, stream, stream_options }: StrictRequest, answer: ScriptedAnswer, count: number) {
  const { text, reasoning, calls = [] } = answer;
  const tool_calls = calls.map((call, index) => ({
    index,
    id: `call_${count}_${index}`,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const said = {
    role: "assistant",
    content: text ?? null,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls }),
  };
  const finish_reason = calls.length > 0 ? "tool_calls" : "stop";
  const fields = { id: `chatcmpl-${count}`, created: 1, model };
  if (!stream) {
    const choices = [{ index: 0, message: said, finish_reason }];
    return json({ ...fields, object: "chat.completion", choices, usage: USAGE });
  }
  const chunk = (rest: object) =>
    `data: ${JSON.stringify({ ...fields, object: "chat.completion.chunk", ...rest })}`;
  return eventStream([
    chunk({ choices: [{ index: 0, delta: said, finish_reason: null }] }),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason }] }),
    ...(stream_options?.include_usage ? [chunk({ choices: [], usage: USAGE })] : []),
    "data: [DONE]",
  ]);
}
