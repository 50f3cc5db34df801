import type { Hono } from "hono";
import { AskBody } from "../../protocol/ask.ts";
import { askReference } from "../../relay/reference-ask.ts";
import { parseJson, parseShape, readText } from "../body.ts";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";

export function askRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  app.post("/api/ask", async (c) => {
    const request = c.req.raw;
    const caller = await deps.callers.identify(request.headers);
    c.set("user", caller.user ?? "admin");
    const text = await readText(request, deps.bodyBytesMax);
    const body = parseShape(AskBody, parseJson(text, "ask_invalid"), "ask_invalid");
    // The runtime cuts connections that are quiet for long, as one that waits for an answer is.
    c.env.server.timeout(request, 0);
    const { answer, agent } = await askReference(deps, caller, body, request.signal);
    c.set("agent", agent);
    return json(answer);
  });
}
