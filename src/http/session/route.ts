import type { Audit } from "../../auth/audit.ts";
import type { LimitStanding, Limits } from "../../auth/limits/limits.ts";
import type { Session, Sessions } from "../../auth/sessions/sessions.ts";
import { describeUser, type Users } from "../../auth/users.ts";
import { AppError } from "../../errors.ts";
import { unitsOfNanos } from "../../prices/money.ts";
import type { PriceBook } from "../../prices/price-book.ts";
import type { Principal } from "../../principal.ts";
import { auditNote } from "../admin/audit.ts";
import { USER_FIELDS_EXAMPLE } from "../admin/schema.ts";
import type { BunServer, Exchange } from "../exchange.ts";
import { ok, reply, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { originOf } from "./origin.ts";
import { SessionAnswer, SignedOut, SignInBody } from "./schema.ts";

interface SessionDeps {
  sessions: Sessions;
  audit: Audit;
  users: Pick<Users, "find">;
  limits: Limits;
  prices: Pick<PriceBook, "currency">;
  /** Whether the caller came by TLS, as far as the proxies before this server are trusted. */
  isSecure(request: Request, server: BunServer): boolean;
  /** The origin at which users and agents reach the server, if it is known. */
  publicUrl: string | undefined;
  /** Milliseconds since 1970. */
  now: () => number;
}

const PUBLIC_URL = "https://chat.example.com";
const ADMIN_EXAMPLE = {
  role: "admin",
  user: null,
  currency: "EUR",
  budgets: { day: null, month: null },
  expires_at: "2026-11-23T20:10:14.924Z",
  public_url: PUBLIC_URL,
} as const;
const BUDGETS = {
  day: { limit: 5, remaining: 4.812, resets_at: "2026-11-24T00:00:00.000Z" },
  month: { limit: 100, remaining: 71.25, resets_at: "2026-12-01T00:00:00.000Z" },
};
const USER = { user_id: SAMPLE.userId, ...USER_FIELDS_EXAMPLE };

const ROUTES = {
  signIn: route("POST /api/session", {
    access: "signIn",
    summary: "Sign a browser in",
    description:
      "The answer sets the cookie `session-<port>`, or `__Host-session-<port>` over TLS. Servers with a cluster key have another name, which is the same at all of them. For the duration of `--session`, it counts as the key in requests of the server's own pages. A session that the browser had before ends. The audit records the sign-ins of administrators.",
    body: { schema: SignInBody, example: { code: "zbhgx0lH…" }, isRequired: false, bytesMax: 4096 },
    answers: ok("Who is signed in.", SessionAnswer, ADMIN_EXAMPLE, ["set-cookie"]),
    errors: ["session_change_failed", "audit_failed"],
  }),
  readSession: route("GET /api/session", {
    access: "caller",
    summary: "Read who is signed in, or whose key it is",
    description:
      "`expires_at` is when the session ends. It is null if the caller used a key. `public_url` is `--public-url`, or null.",
    answers: ok("The caller.", SessionAnswer, {
      role: "user",
      user: USER,
      currency: "EUR",
      budgets: BUDGETS,
      expires_at: null,
      public_url: PUBLIC_URL,
    }),
    errors: ["user_list_failed"],
  }),
  signOut: route("DELETE /api/session", {
    access: "caller",
    summary: "Sign out",
    description: "Ends the session and removes the cookie.",
    answers: ok("The session has ended.", SignedOut, { message: "Signed out" }, ["set-cookie"]),
    errors: ["session_change_failed"],
  }),
};

/** Signing in and out. A signed-in browser shows a cookie, which scripts cannot read, instead of a key. */
export const sessionRoutes = resource("Sessions", ROUTES).handledBy((deps: SessionDeps) => {
  const { sessions, audit, isSecure, publicUrl } = deps;
  const answerOf = async (principal: Principal, session: Session | undefined) => ({
    ...(await describe(deps, principal)),
    currency: deps.prices.currency,
    expires_at: endOf(session),
    public_url: publicUrl ?? null,
  });
  const secureOf = ({ request, server }: Exchange) => ({ secure: isSecure(request, server) });

  return {
    async signIn({ exchange, caller: owner }) {
      const before = await sessions.read(exchange.request.headers);
      const answer = await answerOf(owner, undefined);
      if (typeof before === "object") await sessions.end(before);
      const begin = () => sessions.begin(owner, originOf(exchange, isSecure));
      const { session, cookie } = await (owner.kind === "admin"
        ? audit.change(auditNote(exchange, "session.begin", null, { role: "admin" }), begin)
        : begin());
      return reply(200, { ...answer, expires_at: endOf(session) }, { "set-cookie": cookie });
    },

    readSession: ({ caller: { principal, session } }) => answerOf(principal, session),

    async signOut({ exchange, caller: { session } }) {
      if (session) await sessions.end(session);
      return reply(
        200,
        { message: "Signed out" },
        { "set-cookie": sessions.clearingCookie(secureOf(exchange)) },
      );
    },
  };
});

/** Returns null for a key, which does not end with a session. */
function endOf(session: Session | undefined): string | null {
  return session ? new Date(session.expiresAt).toISOString() : null;
}

async function describe({ users, limits, now }: SessionDeps, principal: Principal) {
  if (principal.kind === "admin")
    return { role: "admin", user: null, budgets: { day: null, month: null } } as const;
  const user = await users.find(principal.id);
  // The user was deleted a moment ago.
  if (!user) throw new AppError("key_unknown");
  const { created_at: _, disabled_at: __, ...fields } = describeUser(user);
  await limits.refresh?.(user.id, user);
  const { budgetDay, budgetMonth } = limits.standing(user.id, user);
  const shown = (standing: LimitStanding | undefined) => (standing ? budgetOf(standing, now()) : null);
  return {
    role: "user",
    user: fields,
    budgets: { day: shown(budgetDay), month: shown(budgetMonth) },
  } as const;
}

const budgetOf = ({ limit, remaining, resetMs }: LimitStanding, now: number) => ({
  limit: unitsOfNanos(limit),
  remaining: unitsOfNanos(remaining),
  resets_at: new Date(now + resetMs).toISOString(),
});
