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

/** The answer to the question that a picture shows. */
const ANSWERS: Readonly<Record<string, string>> = {
  tuple: `A **list** can change after it was made, a **tuple** cannot.

| | list | tuple |
| --- | --- | --- |
| Written as | \`[1, 2]\` | \`(1, 2)\` |
| Can change | yes | no |
| Key of a dict | no | yes |
| Typical use | items of one kind | fields of a record |

\`\`\`python
point = (3, 4)
path = [point]
path.append((5, 6))
\`\`\`

Use a tuple for what belongs together, and a list for what grows.`,
};

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
          const text = await request.text();
          const { messages, model } = JSON.parse(text) as { messages?: unknown[]; model?: string };
          if (!messages) return failure(400);
          const [, written] = Object.entries(ANSWERS).find(([word]) => text.includes(word)) ?? [];
          if (Math.random() < 1 / failsOneOf) return failure(500);
          await Bun.sleep(firstByteMs * between(0.6, 1.8));
          const answer = new Response(events(machine, model ?? "", written));
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

async function* events(
  { tokensPerS }: Machine,
  model: string,
  written: string | undefined,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const event = (fields: object) =>
    encoder.encode(
      `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model, ...fields })}\n\n`,
    );
  const words = written?.split(/(?<=\s)/);
  const tokens = words?.length ?? Math.round(between(TOKENS_MIN, TOKENS_MAX));
  for (let sent = 0; sent < tokens; sent += BATCH) {
    yield event({
      choices: [
        { index: 0, delta: { content: words?.slice(sent, sent + BATCH).join("") ?? "word ".repeat(BATCH) } },
      ],
    });
    await Bun.sleep((BATCH / tokensPerS) * 1_000);
  }
  const usage = { prompt_tokens: 900, completion_tokens: tokens, total_tokens: 900 + tokens };
  yield event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage });
  yield encoder.encode("data: [DONE]\n\n");
}
