import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Exchange } from "../../exchange.ts";
import type { Access } from "../../route.ts";

/** Compressing less saves nothing that anybody would notice. */
const LENGTH_MIN = 2_048;
/** The lists of administrators are long, and read again and again. Other answers are an agent's, and small. */
const COMPRESSED: ReadonlySet<Access> = new Set<Access>(["admin", "adminOrQuery", "adminOrBody"]);

const compressed = promisify(gzip);

/** Whether the answers of a route with this access are compressed, if they are long. */
export function isCompressible(access: Access | undefined, method: string): boolean {
  return method === "GET" && access !== undefined && COMPRESSED.has(access);
}

/** Returns the response compressed, if it is JSON, the caller takes that, and it is long enough. */
export async function compress({ request }: Exchange, response: Response): Promise<Response> {
  const { headers, status } = response;
  if (!headers.get("content-type")?.startsWith("application/json")) return response;
  headers.append("vary", "Accept-Encoding");
  if (!takesGzip(request.headers.get("accept-encoding"))) return response;
  const body = await response.arrayBuffer();
  if (body.byteLength < LENGTH_MIN) return new Response(body, { status, headers });
  headers.delete("content-length");
  headers.set("content-encoding", "gzip");
  return new Response(await compressed(body), { status, headers });
}

/** Whether the header names gzip, and not with the weight 0. */
function takesGzip(header: string | null): boolean {
  const found = header?.match(/(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=([\d.]+)\s*)?(?:,|$)/i);
  return found !== null && found !== undefined && Number(found[1] ?? 1) > 0;
}
