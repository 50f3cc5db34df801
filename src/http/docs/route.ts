import { z } from "zod";
import { once } from "../../once.ts";
import { etagResponse, NOT_MODIFIED } from "../etag.ts";
import type { Exchange } from "../exchange.ts";
import { inlineHash, pagePolicy } from "../middleware/headers.ts";
import { type NamedRoute, ok, okAs, resource, route } from "../route.ts";
import { createDocument } from "./document.ts";
import { renderPage } from "./page.ts";
import { PAGE_STYLE } from "./page-style.ts";

interface DocsDeps {
  version: string;
  /** Every route of the server. */
  routes: readonly NamedRoute[];
  /** The origin at which the server is reached, if it is known. */
  publicUrl: string | undefined;
}

const ROUTES = {
  readDescription: route("GET /openapi.json", {
    access: "none",
    summary: "Read this documentation as OpenAPI 3.1",
    description: "It is the same for everyone and contains no secret.",
    answers: {
      ...ok("The documentation.", z.looseObject({}), { openapi: "3.1.0" }, ["etag"]),
      304: NOT_MODIFIED,
    },
  }),
  readDocs: route("GET /docs", {
    access: "none",
    summary: "Read this documentation as a page",
    description: "The page contains no script and loads nothing else.",
    answers: {
      ...okAs("text/html", "The page.", { description: "HTML.", example: "<!doctype html>" }, ["etag"]),
      304: NOT_MODIFIED,
    },
  }),
};

/** The documentation of the routes, for programs and for people. Anybody may read it. */
export const docsRoutes = resource("Operations", ROUTES).handledBy((deps: DocsDeps) => {
  const { version, routes, publicUrl } = deps;
  // Made when they are first requested, as most servers never need them.
  const document = once(() => createDocument(version, routes, publicUrl));
  const json = once(() => withEtag(JSON.stringify(document())));
  const page = once(() => withEtag(renderPage(document())));
  return {
    readDescription: ({ exchange }) => answer(exchange, json(), "application/json; charset=utf-8"),

    readDocs: ({ exchange }) =>
      answer(exchange, page(), "text/html; charset=utf-8", {
        "content-security-policy": pagePolicy(inlineHash(PAGE_STYLE)),
      }),
  };
});

function withEtag(text: string) {
  return { text, etag: `"${new Bun.CryptoHasher("sha256").update(text).digest("base64url")}"` };
}

function answer(
  exchange: Exchange,
  { text, etag }: ReturnType<typeof withEtag>,
  type: string,
  headers: Record<string, string> = {},
): Response {
  // The text changes with the server's version, so caches must ask each time.
  return etagResponse(
    exchange,
    text,
    { etag, "cache-control": "no-cache", ...headers },
    { "content-type": type },
  );
}
