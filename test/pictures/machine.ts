/** A machine with a model server: how many requests it takes at once, and how fast it is. */
export interface Machine {
  name: string;
  models: readonly string[];
  slots: number;
  firstByteMs: number;
  tokensPerS: number;
}

export interface RunningMachine extends Machine {
  url: string;
  stop(): Promise<void>;
}

const TOKENS_MIN = 60;
const TOKENS_MAX = 420;
/** Tokens that are sent together, as the picture needs no more. */
const BATCH = 8;

const between = (min: number, max: number) => min + Math.random() * (max - min);

/** Starts a model server that answers with as many tokens, at the pace of the machine. */
export function startMachine(machine: Machine, failsOneOf: number): RunningMachine {
  const { models, firstByteMs } = machine;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    routes: {
      "/v1/models": Response.json({ object: "list", data: models.map((id) => ({ id, object: "model" })) }),
      "/v1/chat/completions": {
        POST: async (request) => {
          const { messages, model } = (await request.json()) as { messages?: unknown[]; model?: string };
          if (!messages) return failure(400);
          if (Math.random() < 1 / failsOneOf) return failure(500);
          await Bun.sleep(firstByteMs * between(0.6, 1.8));
          const answer = new Response(events(machine, model ?? ""));
          answer.headers.set("content-type", "text/event-stream");
          return answer;
        },
      },
    },
    fetch: () => failure(404),
  });
  return { ...machine, url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

const failure = (status: number) => Response.json({ error: { message: "not today" } }, { status });

async function* events({ tokensPerS }: Machine, model: string): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const event = (fields: object) =>
    encoder.encode(
      `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model, ...fields })}\n\n`,
    );
  const tokens = Math.round(between(TOKENS_MIN, TOKENS_MAX));
  for (let sent = 0; sent < tokens; sent += BATCH) {
    yield event({ choices: [{ index: 0, delta: { content: "word ".repeat(BATCH) } }] });
    await Bun.sleep((BATCH / tokensPerS) * 1_000);
  }
  const usage = { prompt_tokens: 900, completion_tokens: tokens, total_tokens: 900 + tokens };
  yield event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage });
  yield encoder.encode("data: [DONE]\n\n");
}
