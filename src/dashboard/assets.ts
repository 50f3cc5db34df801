import type { DashboardFile, DashboardFiles } from "../http/operations/dashboard.ts";
import { type BundledFile, bundlePage } from "./bundle.ts";
import page from "./index.html";

const BASE = "/dashboard/";

/** Uses the embedded files in the executable. From the sources, builds them in memory at the first call. */
export function createDashboard(): DashboardFiles {
  let files: Promise<Map<string, DashboardFile>> | undefined;
  return {
    async find(path) {
      files ??= load().catch((error: unknown) => {
        files = undefined;
        throw error;
      });
      return (await files).get(path);
    },
  };
}

async function load(): Promise<Map<string, DashboardFile>> {
  const bundled = page.files ? await readEmbedded(page.files) : await bundlePage(page.index);
  const names = bundled.map(({ name }) => name);
  return new Map(
    bundled.map(({ name, type, bytes }) =>
      type.startsWith("text/html")
        ? ["", toFile(withAddresses(bytes, names), type, false)]
        : [name, toFile(bytes, type, true)],
    ),
  );
}

/** Reads the files that `.ci/dashboard.ts` put into the executable. */
function readEmbedded(files: NonNullable<typeof page.files>): Promise<BundledFile[]> {
  return Promise.all(
    files.map(async ({ input, path, headers }) => ({
      name: input ?? path,
      type: headers["content-type"],
      bytes: new Uint8Array(await Bun.file(path).arrayBuffer()),
    })),
  );
}

/** Replaces the bundler's relative addresses in the page with absolute ones. */
function withAddresses(page: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  let html = new TextDecoder().decode(page);
  for (const name of names) html = html.replaceAll(`"./${name}"`, `"${BASE}${name}"`);
  return new TextEncoder().encode(html);
}

function toFile(bytes: Uint8Array<ArrayBuffer>, type: string, isHashed: boolean): DashboardFile {
  return {
    type,
    bytes,
    gzip: Bun.gzipSync(bytes, { library: "libdeflate", level: 12 }),
    etag: `"${Bun.hash(bytes).toString(36)}"`,
    isHashed,
  };
}
