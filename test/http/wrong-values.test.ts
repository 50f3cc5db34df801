import { expect, test } from "bun:test";
import { ROUTES } from "../../src/http/resources.ts";
import { startModelScene } from "../support/model-scene.ts";
import { ADMIN_KEY } from "../support/server.ts";

const WRONG = [null, 5, -1.5, 1e300, "", "x", true, [], [7], {}, { x: [{}] }];
const WRONG_TEXTS = ["", "x", "-1", "1.5", "99999999999999", "a,,b", "2026-02-30", "\u0000"];

/** Words of the schema library, and of the language, that mean nothing to a caller. */
const FOREIGN =
  /Invalid (?:input|option|string|number|key in|value in|discriminator|ISO|UUID|URL)|Too (?:small|big)|Unrecognized|received |expected (?:string|number|array|object|boolean|record|int)\b|\bundefined\b|\bNaN\b|\[object|\bzod|must match pattern/i;

/** Bodies with more fields than the examples of the documentation have. */
const RICH: Readonly<Record<string, object>> = {
  "/v1/chat/completions": {
    model: "m",
    messages: [
      { role: "system", content: [{ type: "text", text: "s" }] },
      { role: "user", content: "q" },
      {
        role: "assistant",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c", content: "r" },
    ],
    stream: false,
    stream_options: { include_usage: true },
    tools: [{ type: "function", function: { name: "f", parameters: {} } }],
    models: ["m"],
  },
  "/v1/responses": {
    model: "m",
    instructions: "i",
    input: [
      { type: "message", role: "user", content: [{ type: "input_text", text: "q" }] },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "r" },
      { type: "reasoning", id: "r", summary: [{ type: "summary_text", text: "t" }] },
    ],
    tools: [{ type: "function", name: "f", parameters: {}, strict: true }],
    tool_choice: { type: "function", name: "f" },
    text: { format: { type: "json_schema", name: "n", schema: {} } },
    reasoning: { effort: "low" },
    max_output_tokens: 5,
    temperature: 1,
    include: [],
    stream: false,
  },
  "/v1/messages": {
    model: "m",
    max_tokens: 5,
    system: [{ type: "text", text: "s" }],
    messages: [
      {
        role: "user",
        content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "aa" } }],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: {} }] },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "r" }] }],
      },
    ],
    tools: [{ name: "f", input_schema: {} }],
    tool_choice: { type: "tool", name: "f" },
    thinking: { type: "enabled", budget_tokens: 5 },
    stop_sequences: ["a"],
    metadata: { user_id: "u" },
  },
  "/api/ask": { content: "q", model: "m", conversation_id: "c", parent_id: "p", stream: false },
  "/admin/users/add": {
    name: "Ann",
    expires_at: "2999-12-31T00:00:00Z",
    models: ["m"],
    requests_per_minute: 1,
    tokens_per_day: 1,
    max_parallel: 1,
  },
};

/** Returns the value with each of its parts replaced by wrong values or removed, and with a key that nobody knows. */
function* mutationsOf(value: unknown): Generator<unknown> {
  yield* WRONG;
  if (Array.isArray(value)) {
    for (const [index, part] of value.entries())
      for (const wrong of mutationsOf(part)) yield value.with(index, wrong);
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, no_such_key: 1 };
    for (const [key, part] of Object.entries(value)) {
      const { [key as never]: _, ...others } = value;
      yield others;
      for (const wrong of mutationsOf(part)) yield { ...value, [key]: wrong };
    }
  }
}

/** Returns the path with its parameters filled in. */
const pathOf = (path: string) => path.replaceAll(/:\w+/g, "x");

async function startScene() {
  const { server } = await startModelScene({
    onAsk: ({ ask }, agent) => agent.say({ type: "fail", ask, error: { message: "no" }, retryable: false }),
  });
  const withKey = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  /** Returns the status, and the body if the request was refused. */
  return async (method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> => {
    // With a key, the body of this route is not read.
    const headers = path === "/api/session" ? {} : withKey;
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(server.url + path, init);
    const text = await response.text();
    return { status: response.status, text: response.ok ? "" : text };
  };
}

for (const { method, path, body } of ROUTES.filter((route) => route.body !== undefined)) {
  test(`${method} ${path} tells of wrong bodies in plain words`, async () => {
    const send = await startScene();
    let refused = 0;
    for (const wrong of mutationsOf(RICH[path] ?? body?.example)) {
      const { status, text } = await send(method, pathOf(path), wrong);
      expect(status).not.toBe(500);
      expect({ wrong, text: FOREIGN.exec(text)?.[0] }).toEqual({ wrong, text: undefined });
      if (status >= 400) refused++;
    }
    expect(refused).toBeGreaterThan(0);
  });
}

for (const { method, path, query } of ROUTES.filter((route) => route.query !== undefined)) {
  test(`${method} ${path} tells of wrong queries in plain words`, async () => {
    const send = await startScene();
    for (const key of Object.keys(query?.shape ?? {}))
      for (const wrong of WRONG_TEXTS) {
        const { status, text } = await send(method, `${pathOf(path)}?${key}=${encodeURIComponent(wrong)}`);
        expect(status).not.toBe(500);
        expect({ key, wrong, text: FOREIGN.exec(text)?.[0] }).toEqual({ key, wrong, text: undefined });
      }
  });
}
