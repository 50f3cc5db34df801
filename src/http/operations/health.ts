import type { Hono } from "hono";
import { AppError } from "../../errors.ts";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";

/** For probes: no key, and nothing in the answers that only some may know. */
export function healthRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  /** Says that the process serves; whether it has agents is another question. */
  app.get("/health", () => new Response("OK", { headers: { "content-type": "text/plain; charset=utf-8" } }));

  /** Whether work can be taken; `?agents=0` leaves agents out of it, another number asks for so many. */
  app.get("/ready", async (c) => {
    const reasons = await deps.readiness(readCount(c.req.query("agents") ?? "1"));
    const answer = reasons.length > 0 ? { status: "not ready", reasons } : { status: "ready" };
    const response = json(answer, reasons.length > 0 ? 503 : 200);
    response.headers.set("cache-control", "no-store");
    return response;
  });
}

function readCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new AppError("request_invalid", { param: "agents", hint: "agents must be a whole number." });
}
