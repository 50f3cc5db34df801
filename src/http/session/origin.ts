import type { Origin } from "../../auth/sessions/sessions.ts";
import type { BunServer, Exchange } from "../exchange.ts";

/** Tells whether the caller came by TLS, as far as the proxies before this server are trusted. */
export type IsSecure = (request: Request, server: BunServer) => boolean;

/** Returns the connection on which a session begins, as far as it is known. */
export function originOf({ request, server, address }: Exchange, isSecure: IsSecure): Origin {
  return {
    secure: isSecure(request, server),
    address: address ?? null,
    userAgent: request.headers.get("user-agent"),
  };
}
