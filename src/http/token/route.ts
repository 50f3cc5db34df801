import type { Audit } from "../../auth/audit.ts";
import type { Caller } from "../../auth/callers.ts";
import { hashSecret } from "../../auth/secret.ts";
import type { Sessions } from "../../auth/sessions/sessions.ts";
import { nameDetail, type User, type Users } from "../../auth/users.ts";
import { AppError } from "../../errors.ts";
import { userPrincipal } from "../../principal.ts";
import { auditNote } from "../admin/audit.ts";
import { RotatedToken } from "../admin/schema.ts";
import type { BunServer } from "../exchange.ts";
import { ok, reply, resource, route } from "../route.ts";
import { originOf } from "../session/origin.ts";
import { SAMPLE } from "../values.ts";
import { RotateOwnTokenBody } from "./schema.ts";

interface TokenDeps {
  users: Pick<Users, "find" | "rotate">;
  sessions: Pick<Sessions, "begin" | "end">;
  audit: Pick<Audit, "change">;
  /** Whether the caller came by TLS, as far as the proxies before this server are trusted. */
  isSecure(request: Request, server: BunServer): boolean;
}

const ADMIN_HINT = "The admin key belongs to no user. It is the one that the server was started with.";
const REPLACED_HINT = "Use the new token, or ask the administrator for another one.";

const ROUTES = {
  rotateOwnToken: route("POST /api/token/rotate", {
    access: "caller",
    summary: "Give yourself a new token",
    description:
      "The token is shown in this answer only. A browser's session goes on with the new token, and its cookie is replaced; other sessions end with the old token. A token that was replaced before, and is valid for a grace period only, is refused.",
    body: { schema: RotateOwnTokenBody, example: { grace_seconds: 3600 }, isRequired: false, bytesMax: 4096 },
    answers: ok("The new token.", RotatedToken, { token: SAMPLE.token, user_id: SAMPLE.userId }, [
      "set-cookie",
    ]),
    errors: [
      ...(["audit_failed", "token_replaced", "user_unknown"] as const),
      ...(["user_change_failed", "user_list_failed", "session_change_failed"] as const),
    ],
  }),
};

/** The routes by which users change their own token. */
export const tokenRoutes = resource("Sessions", ROUTES).handledBy((deps: TokenDeps) => ({
  async rotateOwnToken({ exchange, caller, body }) {
    const user = await findRotatable(deps.users, caller);
    const { id } = user;
    const grace_seconds = body.grace_seconds ?? 0;
    const detail = { ...nameDetail(user), grace_seconds };
    const note = { ...auditNote(exchange, "user.rotate", id, detail), actor: "user" as const };
    const token = await deps.audit.change(note, () => deps.users.rotate(id, grace_seconds * 1000));
    if (token === false) throw new AppError("user_unknown");
    const answer = { token, user_id: id };
    if (!caller.session) return answer;
    const owner = { ...userPrincipal(id), tokenHash: hashSecret(token) };
    const { cookie } = await deps.sessions.begin(owner, originOf(exchange, deps.isSecure));
    await deps.sessions.end(caller.session);
    return reply(200, answer, { "set-cookie": cookie });
  },
}));

/**
 * Returns the caller. Throws an `AppError` for the administrator, and for an old token in its grace period: it may
 * be rotated away just because somebody else has it, and they must not get one in place of the new token.
 */
async function findRotatable(users: TokenDeps["users"], { principal, tokenHash }: Caller): Promise<User> {
  const user = principal.kind === "user" ? await users.find(principal.id) : undefined;
  if (!user) throw new AppError("user_unknown", principal.kind === "admin" ? { hint: ADMIN_HINT } : {});
  // Without its key file the server cannot read which token is the newest.
  const isKnown = user.token !== "";
  if (isKnown && tokenHash !== hashSecret(user.token))
    throw new AppError("token_replaced", { hint: REPLACED_HINT });
  return user;
}
