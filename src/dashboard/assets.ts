import { type BundledFile, bundlePage } from "./bundle.ts";
import page from "./index.html";

/** What the dashboard's page consists of, ready to be sent. */
export interface DashboardFile {
  /** The `Content-Type`. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer>;
  /** With its quotes. */
  etag: string;
  /** Its name changes with its content, so it may be kept for ever. */
  isHashed: boolean;
}

export interface Dashboard {
  /**
   * By the path below `/dashboard/`; the empty one is the page. Undefined where there is no such file. Rejects where
   * the page cannot be built, which is to be seen when it runs from the sources only.
   */
  find(path: string): Promise<DashboardFile | undefined>;
}

const BASE = "/dashboard/";

/** Embedded in the executable; built in memory, once and at the first call, when run from the sources. */
export function createDashboard(): Dashboard {
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

/** What `.ci/dashboard.ts` has put into the executable. */
function readEmbedded(files: NonNullable<typeof page.files>): Promise<BundledFile[]> {
  return Promise.all(
    files.map(async ({ input, path, headers }) => ({
      name: input ?? path,
      type: headers["content-type"],
      bytes: new Uint8Array(await Bun.file(path).arrayBuffer()),
    })),
  );
}

/** In the page, the bundler has put its files beside it. */
function withAddresses(page: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  let html = new TextDecoder().decode(page);
  for (const name of names) html = html.replaceAll(`"./${name}"`, `"${BASE}${name}"`);
  return new TextEncoder().encode(html);
}

function toFile(bytes: Uint8Array<ArrayBuffer>, type: string, isHashed: boolean): DashboardFile {
  return {
    type,
    bytes,
    gzip: Bun.gzipSync(bytes, { level: 9 }),
    etag: `"${Bun.hash(bytes).toString(36)}"`,
    isHashed,
  };
}
