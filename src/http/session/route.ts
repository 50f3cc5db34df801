import type { Hono } from "hono";
import type { Caller } from "../../auth/callers.ts";
import { isOwnOrigin } from "../../auth/same-origin.ts";
import type { Session, SessionOwner } from "../../auth/sessions.ts";
import { describeUser } from "../../auth/user-fields.ts";
import { AppError } from "../../errors.ts";
import type { Principal } from "../../principal.ts";
import { type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { type SessionAnswer, SignInBody } from "./schema.ts";

/** A code, and the braces around it. */
const BODY_BYTES_MAX = 4096;

/** Signing in and out: a browser then shows a cookie, which scripts cannot read, in the place of a key. */
export function sessionRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { callers, sessions } = deps;
  const secureOf = (c: HttpContext) => ({ secure: deps.isSecure(c.req.raw, c.env.server) });

  app.post("/api/session", async (c) => {
    const owner = await ownerOf(c, deps);
    c.set("principal", owner);
    const before = sessions.shown(c.req.raw.headers);
    const answer = await describe(deps, owner);
    if (typeof before === "object") sessions.end(before);
    const { session, cookie } = sessions.begin(owner, secureOf(c));
    const response = json(withEnd(answer, session));
    response.headers.set("set-cookie", cookie);
    return response;
  });

  app.get("/api/session", async (c) => {
    const caller = await identify(c, deps);
    return json(withEnd(await describe(deps, caller.principal), caller.session));
  });

  app.delete("/api/session", async (c) => {
    const { session } = await identify(c, deps);
    if (session) sessions.end(session);
    const response = json({ message: "Signed out" });
    response.headers.set("set-cookie", sessions.cleared(secureOf(c)));
    return response;
  });

  async function identify(c: HttpContext, { callers }: HttpDeps): Promise<Caller> {
    const caller = await callers.identify(c.req.raw.headers);
    c.set("principal", caller.principal);
    return caller;
  }

  /** Whose key is in the headers or, where there is none, who has the code. */
  async function ownerOf(c: HttpContext, { bodyWithinMs, useCode }: HttpDeps): Promise<SessionOwner> {
    const { raw } = c.req;
    // A page of another site has nothing to begin here, least of all a session of its own choice.
    if (!isOwnOrigin(raw.headers))
      throw new AppError("key_missing", { hint: "Only the server's own pages sign in." });
    if (raw.headers.has("authorization") || raw.headers.has("x-api-key")) return callers.ownerOf(raw.headers);
    const text = await readText(raw, { bodyBytesMax: BODY_BYTES_MAX, bodyWithinMs });
    if (text === "") throw new AppError("key_missing");
    const { code } = parseShape(SignInBody, parseJson(text, "body_invalid"), "body_invalid");
    if (code === undefined) throw new AppError("key_missing");
    if (!useCode(code)) throw new AppError("sign_in_code_wrong", { hint: CODE_HINT });
    return { kind: "admin" };
  }
}

const CODE_HINT = "It signs in once, within an hour of the server's first start. Sign in with the admin key.";

/** A key has none. */
function withEnd(answer: SessionAnswer, session: Session | undefined): SessionAnswer {
  return session ? { ...answer, expires_at: new Date(session.expiresAt).toISOString() } : answer;
}

async function describe({ users }: HttpDeps, principal: Principal): Promise<SessionAnswer> {
  if (principal.kind === "admin") return { role: "admin", user: null, expires_at: null };
  const user = await users.find(principal.id);
  // He was deleted a moment ago.
  if (!user) throw new AppError("key_unknown");
  const { created_at: _, disabled_at: __, ...fields } = describeUser(user);
  return { role: "user", user: fields as NonNullable<SessionAnswer["user"]>, expires_at: null };
}
