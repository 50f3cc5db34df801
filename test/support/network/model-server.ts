/**
 * A program: a model server on loopback that answers what the agent asks Ollama or llama.cpp to find out, and chat
 * completions with its own name. Arguments: `ollama` or `llama.cpp`.
 */
const KINDS: Record<
  string,
  { port: number; headers: Record<string, string>; routes: Record<string, object> }
> = {
  ollama: {
    port: 11434,
    headers: {},
    routes: {
      "/api/version": { version: "0.12.6" },
      "/api/tags": { models: [{ name: "llama3.2:latest", model: "llama3.2:latest" }] },
      "/v1/models": {
        object: "list",
        data: [{ id: "llama3.2:latest", object: "model", owned_by: "library" }],
      },
    },
  },
  "llama.cpp": {
    port: 8080,
    headers: { server: "llama.cpp" },
    routes: {
      "/props": { default_generation_settings: { n_ctx: 4096 }, total_slots: 2, model_path: "/gemma.gguf" },
      "/v1/models": { object: "list", data: [{ id: "gemma.gguf", object: "model", owned_by: "llamacpp" }] },
    },
  },
};

const name = process.argv[2] ?? "";
const kind = KINDS[name];
if (!kind) throw new Error(`unknown model server: ${name}`);
const { port, headers, routes } = kind;

Bun.serve({
  port,
  hostname: "127.0.0.1",
  development: false,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const known = routes[pathname];
    if (known) return Response.json(known, { headers });
    if (pathname !== "/v1/chat/completions")
      return Response.json({ error: "not found" }, { status: 404, headers });
    const { model, stream } = (await request.json()) as { model?: string; stream?: boolean };
    if (model === undefined)
      return Response.json({ error: { message: "model is required" } }, { status: 400, headers });
    const content = `Hello from ${name}!`;
    const fields = { id: "chatcmpl-1", created: 1, model };
    if (!stream) {
      const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }];
      return Response.json({ ...fields, object: "chat.completion", choices }, { headers });
    }
    const chunk = (choice: object) =>
      `data: ${JSON.stringify({ ...fields, object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] })}\n\n`;
    const words = content.split(/(?= )/).map((word) => chunk({ delta: { content: word } }));
    const end = chunk({ delta: {}, finish_reason: "stop" });
    return new Response(`${words.join("")}${end}data: [DONE]\n\n`, {
      headers: { ...headers, "content-type": "text/event-stream" },
    });
  },
});
process.stdout.write("listening\n");
