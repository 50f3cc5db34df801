import type { Sessions } from "../../auth/sessions/sessions.ts";
import { AppError } from "../../errors.ts";
import { etagResponse, NOT_MODIFIED } from "../etag.ts";
import type { Exchange } from "../exchange.ts";
import { pagePolicy } from "../middleware/headers.ts";
import { okAs, resource, route } from "../route.ts";

/** The dashboard's files, which `dashboard/assets.ts` provides. */
export interface DashboardFiles {
  /**
   * Returns the script, style or icon of this name; undefined if there is none. Rejects if the page cannot be built, which
   * can happen only when the server runs from the sources.
   */
  find(name: string): Promise<DashboardFile | undefined>;
  /** Returns the page, which loads `data` at once. Rejects as `find` does. */
  page(data: FirstData): Promise<DashboardFile>;
}

/** The data that the browser loads beside the script, as the page shows it first. With `overview`, it loads the session too. */
export type FirstData = "nothing" | "session" | "overview";

export interface DashboardFile {
  /** The `Content-Type`. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Return the compressed bytes, by the name of the encoding. */
  encoded: Readonly<Record<Encoding, () => Promise<Uint8Array<ArrayBuffer>>>>;
  /** Includes the quotes. */
  etag: string;
  /** Whether the name contains a hash of the content, so that the file may be cached forever. */
  isHashed: boolean;
}

/** The encodings, best first. Over plain HTTP, browsers accept Brotli only from their own machine. */
const ENCODINGS = ["br", "gzip"] as const;

type Encoding = (typeof ENCODINGS)[number];

const HEADERS = ["etag", "content-encoding"] as const;

const ROUTES = {
  readDashboard: route("GET /dashboard", {
    access: "none",
    summary: "Open the dashboard",
    description: "A page that loads everything it shows from the routes described here.",
    answers: {
      ...okAs("text/html", "The page.", { description: "HTML.", example: "<!doctype html>" }, HEADERS),
      304: NOT_MODIFIED,
    },
  }),
  readDashboardFile: route("GET /dashboard/:file", {
    access: "none",
    summary: "Load a script or style of the dashboard",
    description: "Its name changes with its content.",
    params: { file: "The name that the page uses." },
    answers: {
      ...okAs("text/javascript", "The file.", { description: "A script.", example: "…" }, HEADERS),
      304: NOT_MODIFIED,
    },
    errors: ["not_found"],
  }),
};

/** The dashboard. It holds no secret: it loads what it shows with the key of the person who uses it. */
export const dashboardRoutes = resource("Operations", ROUTES).handledBy(
  ({ files, sessions }: { files: DashboardFiles; sessions: Pick<Sessions, "read"> }) => {
    /** Returns what may be asked for without an error. If that is unknown, the page asks later. */
    const firstDataFor = async ({ headers }: Request): Promise<FirstData> => {
      const session = await sessions.read(headers).catch(() => undefined);
      if (typeof session !== "object") return "nothing";
      return session.owner.kind === "admin" && !isElsewhere(headers) ? "overview" : "session";
    };
    return {
      readDashboard: async ({ exchange }) =>
        send(exchange, await files.page(await firstDataFor(exchange.request))),
      async readDashboardFile({ exchange, params: { file: name } }) {
        const file = await files.find(name);
        if (!file) throw new AppError("not_found");
        return send(exchange, file);
      },
    };
  },
);

/**
 * Whether the browser last showed another page than the overview. The page notes that in a cookie, as the part of an address
 * after `#` is not sent. The cookie only saves bytes: anybody can set it.
 */
const isElsewhere = (headers: Headers) => /(?:^|; *)dashboard-page=other/.test(headers.get("cookie") ?? "");

/** The redirect from `/`. It is relative, as the server does not know by which name it was reached. */
const HOME = "dashboard";

/** The text by which clients of Ollama find out that there is one: https://docs.ollama.com/faq. */
const FOR_OLLAMA = "Ollama is running";

/**
 * Redirects a browser from `/` to the dashboard, and tells a client with a key that Ollama's API is here. Returns undefined
 * for any other request, which is a 404 as on the Go server. Whether the key is right, the next request finds out.
 */
export function atHome({ path, request: { method, headers } }: Exchange): Response | undefined {
  if (path !== "/" || (method !== "GET" && method !== "HEAD")) return undefined;
  const vary = "accept, authorization";
  if (!headers.get("accept")?.includes("text/html")) {
    if (!headers.has("authorization")) return undefined;
    return new Response(FOR_OLLAMA, { headers: { "content-type": "text/plain; charset=utf-8", vary } });
  }
  return new Response(null, { status: 303, headers: { location: HOME, vary } });
}

async function send(
  exchange: Exchange,
  { type, bytes, encoded, etag, isHashed }: DashboardFile,
): Promise<Response> {
  const encoding = bestEncoding(exchange.request.headers.get("accept-encoding") ?? "");
  const headers = {
    // The ETag promises the same bytes, so each encoding has its own: RFC 9110 §8.8.3.3.
    etag: encoding ? etag.replace(/"$/, `-${encoding}"`) : etag,
    vary: isHashed ? "accept-encoding" : "accept-encoding, cookie",
    "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": pagePolicy(),
  };
  return etagResponse(exchange, encoding ? await encoded[encoding]() : bytes, headers, {
    "content-type": type,
    ...(encoding && { "content-encoding": encoding }),
  });
}

/** Browsers send a tenth of it. */
const ACCEPT_LENGTH_MAX = 1024;

/** See https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3. */
function bestEncoding(header: string): Encoding | undefined {
  if (header.length > ACCEPT_LENGTH_MAX) return undefined;
  const accepted = header.split(",").flatMap((one) => {
    const [coding = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [coding];
  });
  return ENCODINGS.find((encoding) => accepted.includes(encoding));
}
