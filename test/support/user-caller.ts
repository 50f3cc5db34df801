import type { User } from "./scene.ts";
import { ADMIN_KEY } from "./server.ts";
import type { V2Agent, V2AgentOptions } from "./v2-agent.ts";

/** As the admin routes name them. */
export interface LimitFields {
  requests_per_minute?: number | null;
  tokens_per_day?: number | null;
  max_parallel?: number | null;
}

const admin = (url: string, path: string, method: string, body: object) =>
  fetch(`${url}${path}`, { method, headers: { authorization: ADMIN_KEY }, body: JSON.stringify(body) });

export async function addLimitedUser(url: string, fields: LimitFields = {}): Promise<User> {
  const response = await admin(url, "/admin/users/add", "POST", fields);
  if (response.status !== 200) throw new Error(`no user: ${await response.text()}`);
  return (await response.json()) as User;
}

export async function changeLimits(url: string, { user_id }: User, fields: LimitFields): Promise<void> {
  const response = await admin(url, `/admin/users/${user_id}`, "PATCH", fields);
  if (response.status !== 200) throw new Error(`not changed: ${await response.text()}`);
}

/** The asks of one user. */
export function callerOf(url: string, { token }: User) {
  const post = (path: string, body: unknown, init?: RequestInit) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      ...init,
    });
  return {
    post,
    get: (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } }),
    ask: (fields: object = {}, init?: RequestInit) => post("/api/ask", { content: "hi", ...fields }, init),
    chat: (fields: object = {}, init?: RequestInit) =>
      post("/v1/chat/completions", { model: "m", messages: [], ...fields }, init),
  };
}

/** What an answer tells of limits, and of when to come back. */
export function rateLimitHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => /^(x-ratelimit|retry-after|x-should)/.test(name)),
  );
}

type Usage = { prompt_tokens: number; completion_tokens: number };

/** What an upstream of chat completions answers, streamed or not, with its figures. */
export function answerChat(agent: V2Agent, ask: string, stream: boolean, usage?: Usage): void {
  const done = { type: "done", ask, status: 200, ...(usage && { usage }) };
  if (!stream) {
    const message = { role: "assistant", content: "fine" };
    agent.say({ ...done, body: JSON.stringify({ choices: [{ index: 0, message }] }) });
    return;
  }
  const data = JSON.stringify({ choices: [{ index: 0, delta: { content: "fine" } }] });
  agent.say({ type: "delta", ask, data });
  agent.say({ type: "delta", ask, data: "[DONE]" });
  agent.say(done);
}

/** An agent that answers at once. */
export function answering(usage?: Usage): V2AgentOptions {
  return { onAsk: ({ ask, stream }, agent) => answerChat(agent, ask, stream, usage) };
}
