import { z } from "zod";
import { readBearer } from "../auth/bearer.ts";
import { ADMIN_CALLER, type Caller, type Callers } from "../auth/callers.ts";
import { hasKey } from "../auth/request-keys.ts";
import { isOwnOrigin } from "../auth/same-origin.ts";
import type { Secret } from "../auth/secret.ts";
import type { SessionOwner } from "../auth/sessions/sessions.ts";
import type { UseCode } from "../auth/sessions/sign-in-code.ts";
import { AppError } from "../errors.ts";
import { ADMIN } from "../principal.ts";
import type { Exchange } from "./exchange.ts";
import { parseBody, parseShape } from "./middleware/body.ts";
import { SignInBody } from "./session/schema.ts";

interface AuthenticateOptions {
  callers: Callers;
  /** Opens the metrics and nothing else. */
  metricsKey: Secret | undefined;
  useCode: UseCode;
  /** The origin of the server's own pages, if it is known. */
  publicUrl?: string | undefined;
}

/** Reads the body of a request whose key is right, or not known yet. */
type ReadText = (from: "caller" | "stranger") => Promise<string>;

const AdminKey = z.object({ admin_key: z.string().nullish() });
const CODE_HINT =
  "A code signs in once, within an hour of the server's first start. Sign in with the admin key instead.";

const METRICS_HINT =
  'Send the metrics key, which --metrics-key sets, or the admin key, as "Authorization: Bearer".';

export type Authenticate = ReturnType<typeof createAuthenticate>;

/**
 * Returns methods that find out who makes a request, or throw an `AppError`. Each is for the routes with the
 * access of that name. Nothing else sets the `principal` of an exchange, which is the `user` of the log, or counts
 * the request as one with a right key.
 */
export function createAuthenticate({ callers, metricsKey, useCode, publicUrl }: AuthenticateOptions) {
  /** Lets in the admin, by the key in a header, by a session, or by the key in `given`. */
  async function admin(exchange: Exchange, given?: string): Promise<Caller> {
    const session = await callers.requireAdmin(exchange.request.headers, given);
    exchange.enter(ADMIN);
    return session ? { ...ADMIN_CALLER, session } : ADMIN_CALLER;
  }

  async function identify(exchange: Exchange): Promise<Caller> {
    const caller = await callers.identify(exchange.request.headers);
    exchange.enter(caller.principal);
    return caller;
  }

  return {
    /** Lets in everyone who may send requests: a user or the admin, by a key in a header or by a session. */
    caller(exchange: Exchange): Caller | Promise<Caller> {
      const caller = callers.recall(exchange.request.headers);
      if (!caller) return identify(exchange);
      exchange.enter(caller.principal);
      return caller;
    },

    /** Whether the caller's key is known to be valid still. If not, ask for the `caller` again. */
    isCurrent: callers.isCurrent,

    admin,

    /**
     * Lets in the admin, whose key may also be the body's `admin_key`, and returns the body's other fields. If
     * the key is wrong, the answer says nothing about the rest of the body, and after a wrong key in a header
     * the body is not read. With a key in a header, the body may be empty.
     */
    async adminOrBody(exchange: Exchange, readText: ReadText): Promise<{ caller: Caller; json: unknown }> {
      const { headers } = exchange.request;
      const isInHeader = hasKey(headers) || (await callers.hasAdminSession(headers));
      if (isInHeader) await admin(exchange);
      const text = await readText(isInHeader ? "caller" : "stranger");
      const body = text === "" && isInHeader ? {} : parseBody(text, "body_invalid");
      const { admin_key } = parseShape(AdminKey, body, "body_invalid");
      const caller = await admin(exchange, admin_key ?? undefined);
      const { admin_key: _, ...json } = body as Record<string, unknown>;
      return { caller, json };
    },

    /** Lets in the metrics key and the admin key. A session does not count: machines collect metrics. */
    metrics(exchange: Exchange): void {
      const { headers } = exchange.request;
      if (metricsKey?.matches(readBearer(headers))) return;
      callers.requireAdminKey(headers, METRICS_HINT);
      exchange.principal = ADMIN;
    },

    /**
     * Returns whose session may begin: the owner of the key in a header or, without a key, the admin, whose
     * sign-in code is in the body.
     */
    async signIn(exchange: Exchange, readText: ReadText): Promise<SessionOwner> {
      const { headers } = exchange.request;
      // A page of another site must not begin a session here, least of all one of its own choice.
      if (!isOwnOrigin(headers, publicUrl))
        throw new AppError("key_missing", { hint: "Only the server's own pages can sign in." });
      const owner = hasKey(headers)
        ? await callers.ownerOf(headers)
        : await ownerByCode(await readText("stranger"));
      exchange.enter(owner);
      return owner;
    },
  };

  async function ownerByCode(text: string): Promise<SessionOwner> {
    if (text === "") throw new AppError("key_missing");
    const { code } = parseShape(SignInBody, parseBody(text, "body_invalid"), "body_invalid");
    if (code === undefined) throw new AppError("key_missing");
    if (!(await useCode(code))) throw new AppError("sign_in_code_wrong", { hint: CODE_HINT });
    return { kind: "admin" };
  }
}
