import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";

interface Manifest {
  name: string;
  version: string;
  [field: string]: unknown;
}

/** Returns the package.json in a tarball of npm. */
export async function manifestIn(tarball: string): Promise<Manifest> {
  const archive = extract();
  createReadStream(tarball).pipe(createGunzip()).pipe(archive);
  let manifest: Manifest | undefined;
  for await (const entry of archive) {
    if (entry.header.name === "package/package.json") manifest = JSON.parse(String(await buffer(entry)));
    else entry.resume();
  }
  if (manifest === undefined) throw new Error(`${tarball} has no package.json`);
  return manifest;
}

export interface Registry extends AsyncDisposable {
  url: string;
  /** The tarballs that were downloaded, such as `chatgpt-api-server-0.1.0.tgz`. */
  downloads: string[];
}

/** Serves tarballs as a registry of npm does. Any other package is unknown to it. */
export async function startRegistry(tarballs: readonly string[]): Promise<Registry> {
  const packages = new Map<string, { tarball: string; manifest: Manifest }>();
  for (const tarball of tarballs) {
    const manifest = await manifestIn(tarball);
    packages.set(manifest.name, { tarball, manifest });
  }
  const downloads: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch(request) {
      const { origin, pathname } = new URL(request.url);
      const path = decodeURIComponent(pathname.slice(1));
      const file = tarballs.find((tarball) => path === `-/${basename(tarball)}`);
      if (file !== undefined) {
        downloads.push(basename(file));
        return new Response(Bun.file(file));
      }
      const found = packages.get(path);
      if (!found) return Response.json({ error: "Not found" }, { status: 404 });
      const { name, version } = found.manifest;
      const dist = { tarball: `${origin}/-/${basename(found.tarball)}` };
      const versions = { [version]: { ...found.manifest, dist } };
      return Response.json({ name, "dist-tags": { latest: version }, versions });
    },
  });
  return {
    url: `${server.url.origin}/`,
    downloads,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
