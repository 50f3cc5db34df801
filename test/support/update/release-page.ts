import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Serves a release as GitHub does: the newest version is a redirect, and so is each file. */
export function servePage(folder: string, { cutAfter }: { cutAfter?: number } = {}) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch({ url }) {
      const { pathname } = new URL(url);
      if (pathname === "/releases/latest") return Response.redirect("/releases/tag/v9.9.9", 302);
      const [, name = ""] = /^\/releases\/download\/v9\.9\.9\/(.+)$/.exec(pathname) ?? [];
      if (name !== "") return Response.redirect(`/files/${name}`, 302);
      const path = join(folder, pathname.replace("/files/", ""));
      if (!existsSync(path)) return new Response("no", { status: 404 });
      const bytes = readFileSync(path);
      if (cutAfter === undefined || path.endsWith("SHA256SUMS")) return new Response(bytes);
      return new Response(stalled(bytes.subarray(0, cutAfter)), {
        headers: { "content-length": String(bytes.byteLength) },
      });
    },
  });
  return { from: `http://127.0.0.1:${server.port}/releases`, [Symbol.dispose]: () => void server.stop(true) };
}

/** Sends these bytes, and nothing more. */
function stalled(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(bytes) });
}
