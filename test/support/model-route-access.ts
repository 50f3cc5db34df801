import type { Route } from "./route-access.ts";

const MODEL_ASK = { model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 9 };
const ask = (body: object = MODEL_ASK): Route => ({ for: "caller", body: () => body });

/** Every caller may ask for a response. This one does not exist. */
const UNKNOWN = (path: string): Route => ({ for: "caller", path: () => path, status: 404 });

/** The routes of the model APIs, by their methods and paths. */
export const MODEL_ROUTES: Record<string, Route> = {
  "GET /v1/models": { for: "caller" },
  "GET /v1/models/:id{.+}": { for: "caller", path: () => "/v1/models/m" },
  "POST /v1/chat/completions": ask(),
  "POST /v1/responses": ask({ model: "m", input: "hi" }),
  "GET /v1/responses/:id": UNKNOWN("/v1/responses/resp_0"),
  "DELETE /v1/responses/:id": UNKNOWN("/v1/responses/resp_0"),
  "POST /v1/responses/:id/cancel": UNKNOWN("/v1/responses/resp_0/cancel"),
  "GET /v1/responses/:id/input_items": UNKNOWN("/v1/responses/resp_0/input_items"),
  "POST /v1/conversations": { for: "caller" },
  "GET /v1/conversations/:id": UNKNOWN("/v1/conversations/conv_0"),
  "POST /v1/conversations/:id": UNKNOWN("/v1/conversations/conv_0"),
  "DELETE /v1/conversations/:id": UNKNOWN("/v1/conversations/conv_0"),
  "GET /v1/conversations/:id/items": UNKNOWN("/v1/conversations/conv_0/items"),
  "POST /v1/conversations/:id/items": {
    ...UNKNOWN("/v1/conversations/conv_0/items"),
    body: () => ({ items: [{ role: "user", content: "hi" }] }),
  },
  "GET /v1/conversations/:id/items/:item": UNKNOWN("/v1/conversations/conv_0/items/msg_0"),
  "DELETE /v1/conversations/:id/items/:item": UNKNOWN("/v1/conversations/conv_0/items/msg_0"),
  "POST /v1/completions": ask({ model: "m", prompt: "hi" }),
  "POST /v1/embeddings": ask({ model: "m", input: "hi" }),
  "POST /v1/messages": ask(),
  "POST /v1/messages/count_tokens": ask(),
  "POST /api/chat": ask({ model: "m", messages: [{ role: "user", content: "hi" }] }),
  "POST /api/generate": ask({ model: "m", prompt: "hi" }),
  "POST /api/embed": ask({ model: "m", input: "hi" }),
  "POST /api/embeddings": ask({ model: "m", prompt: "hi" }),
  "GET /api/version": { for: "caller" },
  "GET /api/tags": { for: "caller" },
  "GET /api/ps": { for: "caller" },
  "POST /api/show": ask({ model: "m" }),
  "POST /api/pull": ask({ model: "m" }),
  "POST /api/push": { for: "caller", status: 403 },
  "POST /api/create": { for: "caller", status: 403 },
  "POST /api/copy": { for: "caller", status: 403 },
  "DELETE /api/delete": { for: "caller", status: 403 },
  "POST /api/blobs/:digest": { for: "caller", path: () => "/api/blobs/sha256:0", status: 403 },
};
