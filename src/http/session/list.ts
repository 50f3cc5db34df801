import type { Audit } from "../../auth/audit.ts";
import type { Caller } from "../../auth/callers.ts";
import type { Sessions } from "../../auth/sessions/sessions.ts";
import { AppError } from "../../errors.ts";
import { userIdOf } from "../../principal.ts";
import type { ListedSession, SessionOwnerId } from "../../store/store.ts";
import { auditNote } from "../admin/audit.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { SessionEnded, SessionList } from "./schema.ts";

interface SessionListDeps {
  sessions: Sessions;
  audit: Audit;
}

const SESSION_ID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const ROUTES = {
  listSessions: route("GET /api/sessions", {
    access: "caller",
    summary: "List the browsers that are signed in",
    description:
      "Users see their own sessions, administrators those of everyone, newest first. A session also ends with the key that began it.",
    answers: ok("The sessions that have not expired.", SessionList, {
      sessions: [
        {
          ...{ id: SESSION_ID, role: "user", user_id: SAMPLE.userId, created_at: SAMPLE.time },
          ...{ expires_at: "2026-11-23T20:10:14.924Z", is_current: true },
          ...{ address: "192.0.2.7", user_agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0" },
        },
      ],
    }),
    errors: ["session_list_failed"],
  }),
  endSession: route("DELETE /api/sessions/:id", {
    access: "caller",
    summary: "Sign a browser out",
    description: "Users end their own sessions, administrators those of anyone, which the audit records.",
    params: { id: "The session's id." },
    answers: ok("The session has ended.", SessionEnded, { message: "Session ended" }),
    errors: ["session_unknown", "session_list_failed", "session_change_failed", "audit_failed"],
  }),
};

/** The browsers that are signed in: at most 1,000, and 20 of each user. */
export const sessionListRoutes = resource("Sessions", ROUTES).handledBy(
  ({ sessions, audit }: SessionListDeps) => ({
    async listSessions({ caller }) {
      const rows = await sessions.list(visibleTo(caller));
      return { sessions: rows.map((row) => describe(row, caller)) };
    },

    async endSession({ exchange, caller, params: { id } }) {
      const row = (await sessions.list(visibleTo(caller))).find(({ hash }) => hash === id);
      if (!row) throw new AppError("session_unknown");
      const end = () => sessions.end(row);
      const hadIt =
        caller.principal.kind === "admin"
          ? await audit.change(auditNote(exchange, "session.end", row.userId, { role: roleOf(row) }), end)
          : await end();
      if (!hadIt) throw new AppError("session_unknown");
      return { message: "Session ended" };
    },
  }),
);

/** Administrators see everyone's sessions. */
const visibleTo = ({ principal }: Caller): SessionOwnerId =>
  principal.kind === "admin" ? "everyone" : userIdOf(principal);

const roleOf = ({ userId }: ListedSession) => (userId === null ? ("admin" as const) : ("user" as const));

function describe(row: ListedSession, { session }: Caller) {
  return {
    ...{ id: row.hash, role: roleOf(row), user_id: row.userId },
    created_at: new Date(row.createdAt).toISOString(),
    expires_at: new Date(row.expiresAt).toISOString(),
    ...{ is_current: row.hash === session?.hash, address: row.address, user_agent: row.userAgent },
  } as const;
}
