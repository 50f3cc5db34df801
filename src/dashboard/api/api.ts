import { pathOf, request, send } from "./request.ts";
import type {
  AddedAgentKey,
  AddedUser,
  Agent,
  AgentDisconnected,
  AgentKey,
  AuditPage,
  ListedUser,
  Overview,
  RotatedToken,
  SessionAnswer,
  SettingsAnswer,
  Usage,
  UsageGroup,
  User,
} from "./types.ts";

/** What may be said of a user; null takes a limit away. */
export type UserFields = Partial<
  Pick<User, "name" | "expires_at" | "models" | "requests_per_minute" | "tokens_per_day" | "max_parallel">
>;

export interface UsageQuery {
  /** A user's id, or `admin`; for administrators. */
  user?: string;
  /** Dates, or times of RFC 3339. */
  from?: string;
  to?: string;
  by: readonly UsageGroup[];
  limit?: number;
}

/** The public HTTP API, a function a route. All reject as `request` does. */
export const api = {
  session: () => request<SessionAnswer>("GET", "/api/session"),
  signInByKey: (key: string) =>
    request<SessionAnswer>("POST", "/api/session", { body: {}, headers: { authorization: `Bearer ${key}` } }),
  signInByCode: (code: string) => request<SessionAnswer>("POST", "/api/session", { body: { code } }),
  signOut: () => request("DELETE", "/api/session"),

  overview: (signal?: AbortSignal) => request<Overview>("GET", "/admin/overview", take(signal)),
  settings: (signal?: AbortSignal) => request<SettingsAnswer>("GET", "/admin/settings", take(signal)),
  audit: (page: { limit: number; before?: number | undefined }, signal?: AbortSignal) =>
    request<AuditPage>("GET", pathOf(["admin", "audit"], page), take(signal)),

  agents: async (signal?: AbortSignal) =>
    (await request<{ agents: Agent[] }>("GET", "/admin/agents", take(signal))).agents,
  disconnectAgent: (id: string, drain: boolean) =>
    request<AgentDisconnected>("POST", pathOf(["admin", "agents", id, "disconnect"]), { body: { drain } }),
  agentKeys: async (signal?: AbortSignal) =>
    (await request<{ keys: AgentKey[] }>("GET", "/admin/agents/keys", take(signal))).keys,
  addAgentKey: (body: { name: string; models?: string[] }) =>
    request<AddedAgentKey>("POST", "/admin/agents/keys", { body }),
  revokeAgentKey: (id: string) => request("DELETE", pathOf(["admin", "agents", "keys", id])),

  /** In the order in which they were added. Their tokens, which are secret, are dropped at once. */
  users: async (signal?: AbortSignal): Promise<User[]> => {
    const { users } = await request<{ users: ListedUser[] }>(
      "GET",
      "/admin/users?details=true",
      take(signal),
    );
    return users.map(({ token: _, ...user }) => user as User);
  },
  user: (id: string, signal?: AbortSignal) =>
    request<User>("GET", pathOf(["admin", "users", id]), take(signal)),
  addUser: (body: UserFields) => request<AddedUser>("POST", "/admin/users/add", { body }),
  changeUser: (id: string, body: UserFields) =>
    request<User>("PATCH", pathOf(["admin", "users", id]), { body }),
  disableUser: (id: string) => request<User>("POST", pathOf(["admin", "users", id, "disable"])),
  enableUser: (id: string) => request<User>("POST", pathOf(["admin", "users", id, "enable"])),
  rotateUser: (id: string, graceS: number) =>
    request<RotatedToken>("POST", pathOf(["admin", "users", id, "rotate"]), {
      body: { grace_seconds: graceS },
    }),
  deleteUser: (id: string) => request("DELETE", pathOf(["admin", "users", id])),

  /** Of everybody, or of one user; for administrators. */
  usage: (query: UsageQuery, signal?: AbortSignal) =>
    request<Usage>("GET", usagePath("admin", query), take(signal)),
  /** One's own; by model and day only. */
  ownUsage: (query: UsageQuery, signal?: AbortSignal) =>
    request<Usage>("GET", usagePath("api", query), take(signal)),

  /** The headers say how one stands with one's limits; asking counts for nothing. */
  ownRateLimits: async (signal?: AbortSignal) =>
    (await send("GET", usagePath("api", { by: [] }), take(signal))).headers,

  /** The names of the models that one may ask. */
  models: async (signal?: AbortSignal) =>
    (await request<{ data: { id: string }[] }>("GET", "/v1/models", take(signal))).data.map(({ id }) => id),
  /** A stream of server-sent events, with the tokens told at its end. */
  chat: (
    body: { model: string; messages: readonly { role: string; content: string }[] },
    signal: AbortSignal,
  ) =>
    send("POST", "/v1/chat/completions", {
      body: { ...body, stream: true, stream_options: { include_usage: true } },
      signal,
    }),
};

/** Also as the address of a download, with `format: "csv"`. */
export function usagePath(of: "admin" | "api", query: UsageQuery & { format?: "csv" }): string {
  const { by, ...rest } = query;
  return pathOf([of, "usage"], { ...rest, by: by.join(",") });
}

function take(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
