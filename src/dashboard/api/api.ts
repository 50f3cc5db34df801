import type { UserField } from "../../user-attributes.ts";
import { compareNames } from "../texts/texts.ts";
import { pathOf, type RequestOptions, request, send } from "./request.ts";
import type {
  AddedAgentKey,
  AddedPairing,
  AddedUser,
  AdminModelAnswer,
  AdminModelList,
  AgentDisconnected,
  AgentKey,
  AgentList,
  AgentReset,
  AuditPage,
  KeptRequest,
  OfferedModel,
  Overview,
  OwnRequest,
  Pairing,
  RotatedToken,
  SessionAnswer,
  SessionRow,
  SettingsAnswer,
  TrafficAnswer,
  UsageAnswer,
  UsageGroup,
  User,
  WebhookTested,
} from "./types.ts";

/** The fields of a user that can be set. Null removes a limit. */
export type UserFields = Partial<Pick<User, UserField>>;

/** The fields of an agent key that can be changed. Null removes a value. */
export type AgentKeyFields = Partial<
  Pick<AgentKey, "priority" | "weight" | "tags" | "owner_id" | "shows_name">
>;

export interface UsageQuery {
  /** A user's id, or `admin` for the admin key. Only administrators may set it. */
  user?: string;
  /** Dates, or RFC 3339 times. */
  from?: string;
  to?: string;
  by: readonly UsageGroup[];
  limit?: number;
}

/** A resource, and the tag that tells whether it has changed since. */
export interface Tagged<Answer> {
  answer: Answer;
  /** Its `ETag`. */
  tag: string | null;
}

/** New values by the names of settings. Null takes a change back. */
export type SettingChanges = Readonly<Record<string, unknown>>;

interface RequestList<Shown> {
  requests: Shown[];
  currency: string | null;
  next: string | null;
}

type Query = Readonly<Record<string, string | undefined>>;

/** The public HTTP API, one function per route. Each rejects as `request` does. */
export const api = {
  session: (signal?: AbortSignal) => request<SessionAnswer>("GET", "/api/session", withSignal(signal)),
  signInByKey: (key: string) =>
    request<SessionAnswer>("POST", "/api/session", { body: {}, headers: { authorization: `Bearer ${key}` } }),
  signInByCode: (code: string) => request<SessionAnswer>("POST", "/api/session", { body: { code } }),
  signOut: () => request("DELETE", "/api/session"),

  /** Returns the browsers that are signed in, newest first: a user's own, or everyone's. */
  sessions: async (signal?: AbortSignal) =>
    (await request<{ sessions: SessionRow[] }>("GET", "/api/sessions", withSignal(signal))).sessions,
  endSession: (id: string) => request("DELETE", pathOf(["api", "sessions", id])),

  overview: (signal?: AbortSignal) => request<Overview>("GET", "/admin/overview", withSignal(signal)),
  settings: (signal?: AbortSignal) =>
    requestTagged<SettingsAnswer>("GET", "/admin/settings", withSignal(signal)),
  /** Changes settings. Rejects with status 412 if they are not those of `known` any more. */
  changeSettings: (changes: SettingChanges, known: Tagged<SettingsAnswer>) =>
    requestTagged<SettingsAnswer>("PATCH", "/admin/settings", { body: changes, headers: ifMatch(known) }),
  /** Sends a test message to the webhook of the alerts. */
  testWebhook: () => request<WebhookTested>("POST", "/admin/webhook/test"),
  audit: (query: Record<string, string | number | undefined>, signal?: AbortSignal) =>
    request<AuditPage>("GET", pathOf(["admin", "audit"], query), withSignal(signal)),

  /** Returns the models with what there is to know of them, and the requests since `from`. */
  modelStates: (from: string | undefined, signal?: AbortSignal) =>
    request<AdminModelList>("GET", pathOf(["admin", "models"], { from }), withSignal(signal)),
  modelState: (id: string, from: string | undefined, signal?: AbortSignal) =>
    request<AdminModelAnswer>("GET", pathOf(["admin", "models", id], { from }), withSignal(signal)),

  agents: (signal?: AbortSignal) => request<AgentList>("GET", "/admin/agents", withSignal(signal)),
  disconnectAgent: (id: string, drain: boolean) =>
    request<AgentDisconnected>("POST", pathOf(["admin", "agents", id, "disconnect"]), { body: { drain } }),
  resetAgent: (id: string) =>
    request<AgentReset>("POST", pathOf(["admin", "agents", id, "reset"]), { body: {} }),
  updateAgent: (id: string) => request("POST", pathOf(["admin", "agents", id, "update"]), { body: {} }),
  agentKeys: async (signal?: AbortSignal) =>
    (await request<{ keys: AgentKey[] }>("GET", "/admin/agents/keys", withSignal(signal))).keys,
  addAgentKey: (body: { name: string; models?: string[] } & AgentKeyFields) =>
    request<AddedAgentKey>("POST", "/admin/agents/keys", { body }),
  changeAgentKey: (id: string, body: AgentKeyFields) =>
    request<AgentKey>("PATCH", pathOf(["admin", "agents", "keys", id]), { body }),
  revokeAgentKey: (id: string) => request("DELETE", pathOf(["admin", "agents", "keys", id])),

  /** Returns the pairing codes that may still be used, without the codes themselves. */
  pairings: async (signal?: AbortSignal) =>
    (await request<{ pairings: Pairing[] }>("GET", "/admin/agents/pairings", withSignal(signal))).pairings,
  addPairing: (body: { name?: string; models?: string[] } & AgentKeyFields) =>
    request<AddedPairing>("POST", "/admin/agents/pairings", { body }),
  cancelPairing: (id: string) => request("DELETE", pathOf(["admin", "agents", "pairings", id])),

  /** Returns the users in the order in which they were added, without their tokens. */
  users: async (signal?: AbortSignal): Promise<User[]> => {
    const path = pathOf(["admin", "users"], { details: true, tokens: false });
    return (await request<{ users: User[] }>("GET", path, withSignal(signal))).users;
  },
  user: (id: string, signal?: AbortSignal) =>
    request<User>("GET", pathOf(["admin", "users", id]), withSignal(signal)),
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

  /** Returns the usage of everyone, or of one user. For administrators only. */
  usage: (query: UsageQuery, signal?: AbortSignal) =>
    request<UsageAnswer>("GET", usagePath("admin", query), withSignal(signal)),
  /** Returns the usage of the user who is signed in. It can be grouped by model and day only. */
  ownUsage: (query: UsageQuery, signal?: AbortSignal) =>
    request<UsageAnswer>("GET", usagePath("api", query), withSignal(signal)),

  /** Returns a page of the kept requests: of everyone, for administrators, or of the user who is signed in. */
  requests: <Scope extends "admin" | "api">(scope: Scope, query: Query, signal?: AbortSignal) =>
    request<RequestList<Scope extends "admin" ? KeptRequest : OwnRequest>>(
      "GET",
      requestsPath(scope, query),
      withSignal(signal),
    ),
  traffic: (query: Query, signal?: AbortSignal) =>
    request<TrafficAnswer>("GET", pathOf(["admin", "traffic"], query), withSignal(signal)),

  /** Returns response headers with the user's rate limits. This request itself counts toward no limit. */
  ownRateLimits: async (signal?: AbortSignal) =>
    (await send("GET", usagePath("api", { by: [] }), withSignal(signal))).headers,

  /** Returns the models that the user may use, as people sort them. */
  offeredModels: async (signal?: AbortSignal) =>
    (await request<{ data: OfferedModel[] }>("GET", "/v1/models", withSignal(signal))).data.toSorted((a, b) =>
      compareNames(a.id, b.id),
    ),
  /** Returns the names of the models that the user may use. */
  models: async (signal?: AbortSignal): Promise<string[]> =>
    (await api.offeredModels(signal)).map(({ id }) => id),
  /** Returns a stream of server-sent events that ends with the token counts. */
  chat: (body: object, signal: AbortSignal) =>
    send("POST", "/v1/chat/completions", {
      body: { ...body, stream: true, stream_options: { include_usage: true } },
      signal,
    }),

  /** Gives the user who is signed in a new token. The old one stays valid for `graceS` seconds. */
  rotateOwnToken: (graceS: number) =>
    request<RotatedToken>("POST", "/api/token/rotate", { body: { grace_seconds: graceS } }),
};

async function requestTagged<Answer>(
  method: string,
  path: string,
  options: RequestOptions,
): Promise<Tagged<Answer>> {
  const response = await send(method, path, options);
  return { answer: (await response.json()) as Answer, tag: response.headers.get("etag") };
}

/** Returns the header that makes a change fail if the resource has changed. */
function ifMatch({ tag }: Tagged<unknown>): Record<string, string> {
  return tag === null ? {} : { "if-match": tag };
}

/** Returns the path of a usage request. With `format: "csv"` it is the address of a download. */
export function usagePath(scope: "admin" | "api", query: UsageQuery & { format?: "csv" }): string {
  const { by, ...rest } = query;
  return pathOf([scope, "usage"], { ...rest, by: by.join(",") });
}

/** Returns the path of a list of requests. With `format: "csv"` it is the address of a download. */
export function requestsPath(scope: "admin" | "api", query: Query): string {
  return pathOf([scope, "requests"], query);
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
