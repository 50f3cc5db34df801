const MODELS = ["echo", "llama3.2", "llama3.3", "qwen3", "small", "large"];

/** A model server that offers the models of the documents' examples. */
export interface ModelServer {
  /** The address without a path. */
  url: string;
  stop(): Promise<void>;
}

/** Starts a model server in this process. It answers each chat completion with the same text. */
export function startModelServer(): ModelServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: {
      "/v1/models": Response.json({ object: "list", data: MODELS.map((id) => ({ id, object: "model" })) }),
      "/v1/chat/completions": {
        POST: async (request) => {
          const { model, messages } = (await request.json()) as { model?: string; messages?: unknown[] };
          if (!messages) return Response.json({ error: { message: "messages is missing" } }, { status: 400 });
          const message = { role: "assistant", content: "Hello!" };
          const choices = [{ index: 0, message, finish_reason: "stop" }];
          const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
          return Response.json({ id: "1", object: "chat.completion", created: 1, model, choices, usage });
        },
      },
    },
    fetch: () => Response.json({ error: { message: "There is no such path." } }, { status: 404 }),
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}
