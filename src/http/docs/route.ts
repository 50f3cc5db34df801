import type { Hono } from "hono";
import type { HttpContext, HttpDeps, HttpEnv } from "../context.ts";
import { isNamed } from "../middleware/etag.ts";
import { inlineHash, pagePolicy } from "../middleware/page-policy.ts";
import { createDocument } from "./document.ts";
import { renderPage } from "./page.ts";
import { PAGE_STYLE } from "./page-style.ts";

interface Kept {
  text: string;
  etag: string;
}

/** The description of the routes, for programs and for people. Both are for everybody: there is no secret in them. */
export function descriptionRoutes(app: Hono<HttpEnv>, { version }: HttpDeps): void {
  const document = once(() => createDocument(version));
  const json = once(async () => keep(JSON.stringify(await document())));
  const page = once(async () => keep(renderPage(await document())));

  app.get("/openapi.json", async (c) => answer(c, await json(), "application/json; charset=utf-8"));

  app.get("/docs", async (c) => {
    const response = answer(c, await page(), "text/html; charset=utf-8");
    response.headers.set("content-security-policy", pagePolicy({ styles: [inlineHash(PAGE_STYLE)] }));
    return response;
  });
}

/** Made when it is first asked for, and kept; not where that failed. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

function keep(text: string): Kept {
  return { text, etag: `"${new Bun.CryptoHasher("sha256").update(text).digest("base64url")}"` };
}

function answer(c: HttpContext, { text, etag }: Kept, type: string): Response {
  // It changes with the server's version, so it is asked for again each time.
  const headers = { etag, "cache-control": "no-cache" };
  if (isNamed(c.req.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "content-type": type } });
}
