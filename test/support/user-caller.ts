import type { User } from "./scene.ts";
import { ADMIN_KEY } from "./server.ts";

/** The limits of a user as the admin routes name them. */
export interface LimitFields {
  name?: string | null;
  models?: string[] | null;
  requests_per_minute?: number | null;
  tokens_per_day?: number | null;
  max_parallel?: number | null;
  budget_day?: number | null;
  budget_month?: number | null;
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

/** Returns functions that make requests with the user's token. */
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

/** Returns the headers of a response that are about rate limits and retries. */
export function rateLimitHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => /^(x-ratelimit|retry-after|x-should)/.test(name)),
  );
}
