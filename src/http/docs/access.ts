import type { ErrorCode } from "../../errors.ts";
import type { Access } from "../route.ts";

const bearer = (description: string) => ({ type: "http", scheme: "bearer", description }) as const;
const apiKey = (place: "header" | "query" | "cookie", name: string, description: string) =>
  ({ type: "apiKey", in: place, name, description }) as const;
const header = (name: string, description: string) => apiKey("header", name, description);

/** The ways to send a key: `components.securitySchemes`. */
export const SECURITY_SCHEMES = {
  token: bearer("`Authorization: Bearer <key>`, a user's token or the admin key."),
  tokenBare: header(
    "Authorization",
    "`Authorization: <key>`, without `Bearer`, as the reference server accepts it.",
  ),
  tokenHeader: header("x-api-key", "`x-api-key: <key>`, a user's token or the admin key."),
  tokenApiKey: header("api-key", "`api-key: <key>`, as Azure's packages send it."),
  adminKey: bearer("`Authorization: Bearer <admin key>`."),
  adminKeyBare: header("Authorization", "`Authorization: <admin key>`, without `Bearer`."),
  adminKeyHeader: header("x-api-key", "`x-api-key: <admin key>`."),
  adminKeyApiKey: header("api-key", "`api-key: <admin key>`."),
  adminKeyQuery: apiKey(
    "query",
    "admin_key",
    "`?admin_key=<admin key>`, as the reference server accepts it. Proxies write URLs to their logs, so prefer a header.",
  ),
  session: apiKey(
    "cookie",
    "session-<port>",
    "The cookie of `POST /api/session`, with the server's port in its name, or a text that all servers with one cluster key have, and `__Host-` before it over TLS. It stands for the key that began the session, if no key is in a header, and only in requests of the server's own pages.",
  ),
  metricsKey: bearer(
    "`Authorization: Bearer <metrics key>`, if `--metrics-key` is set. It opens nothing else.",
  ),
  agentKey: bearer(
    "`Authorization: Bearer <agent key>`: the server's own, or one of `POST /admin/agents/keys`. It can neither send requests nor administer anything.",
  ),
} as const;

type Scheme = keyof typeof SECURITY_SCHEMES;

interface AccessRule {
  /** One of these is enough. `{}` stands for no key. */
  security: Partial<Record<Scheme, string[]>>[];
  errors: readonly ErrorCode[];
  /** The rule in words. */
  note: string;
}

const oneOf = (...schemes: Scheme[]) => schemes.map((scheme) => ({ [scheme]: [] }));
const ADMIN_KEY = oneOf("adminKey", "adminKeyBare", "adminKeyHeader", "adminKeyApiKey");
const ADMIN = [...ADMIN_KEY, ...oneOf("session")];
const TOKEN = oneOf("token", "tokenBare", "tokenHeader", "tokenApiKey");
/** The errors of a look-up in the database. */
const LOOKUP_ERRORS = ["verify_failed", "database_away"] as const;
const CALLER_ERRORS = [
  "key_missing",
  "key_unknown",
  "keys_differ",
  "key_failures",
  ...LOOKUP_ERRORS,
] as const;
const AGENT_ERRORS = ["agent_key_wrong", "key_failures", "agent_origin_refused", ...LOOKUP_ERRORS] as const;
const KEY_ERRORS = ["admin_key_wrong", "key_failures"] as const;
/** The key itself is looked up nowhere, but a session is. */
const ADMIN_ERRORS = [...KEY_ERRORS, ...LOOKUP_ERRORS] as const;

/** Describes the key that each kind of access needs, and the places where it may be. */
export const ACCESS_RULES = {
  none: { security: [], errors: ["host_refused"], note: "No key." },
  caller: {
    security: [...TOKEN, ...oneOf("session")],
    errors: CALLER_ERRORS,
    note: "A token or the admin key.",
  },
  signIn: {
    security: [...TOKEN, {}],
    errors: [...CALLER_ERRORS, "sign_in_code_wrong"],
    note: "A token or the admin key. None is needed with a code in the body.",
  },
  code: {
    security: [],
    errors: ["pairing_code_wrong", "pairing_limited", ...LOOKUP_ERRORS],
    note: "A pairing code in the body.",
  },
  admin: { security: ADMIN, errors: ADMIN_ERRORS, note: "The admin key, in a header." },
  adminOrQuery: {
    security: [...ADMIN, ...oneOf("adminKeyQuery")],
    errors: [...ADMIN_ERRORS, "request_invalid"],
    note: "The admin key, in a header or the query.",
  },
  adminOrBody: {
    security: [...ADMIN, {}],
    errors: ADMIN_ERRORS,
    note: "The admin key, in a header or as `admin_key` in the body.",
  },
  metrics: {
    security: [...oneOf("metricsKey"), ...ADMIN_KEY],
    errors: KEY_ERRORS,
    note: "The metrics key or the admin key, in a header.",
  },
  agent: {
    security: [...oneOf("agentKey"), {}],
    errors: ["agent_key_required", ...AGENT_ERRORS, "host_refused"],
    note: "The agent key. The settings of the server may admit agents without it, from its own machine or from anywhere.",
  },
  agentInPath: { security: [], errors: AGENT_ERRORS, note: "The agent key, in the path." },
} as const satisfies Record<Access, AccessRule>;
