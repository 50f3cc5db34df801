import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { DashboardFile, DashboardFiles, FirstData } from "../http/operations/dashboard.ts";
import { once } from "../once.ts";
import { type BundledFile, bundlePage } from "./bundle.ts";
import page from "./index.html";

/** Uses the embedded files in the executable. From the sources, builds them in memory at the first call. */
export function createDashboard(): DashboardFiles {
  let files: Promise<Files> | undefined;
  const loaded = () => {
    files ??= load().catch((error: unknown) => {
      files = undefined;
      throw error;
    });
    return files;
  };
  return {
    find: async (name) => (await loaded()).named.get(name),
    page: async (data) => (await loaded()).pages[data],
  };
}

interface Files {
  named: ReadonlyMap<string, DashboardFile>;
  pages: Readonly<Record<FirstData, DashboardFile>>;
}

async function load(): Promise<Files> {
  const files = page.files ? await Promise.all(page.files.map(readEmbedded)) : await build(page.index);
  const html = files.find(({ isHashed }) => !isHashed);
  if (!html) throw new Error("The dashboard has no page.");
  const named = new Map(files.filter((file) => file !== html).map((file) => [file.name, file]));
  const pages = {
    nothing: html,
    session: withPreloads(html, ["/api/session"]),
    overview: withPreloads(html, ["/api/session", "/admin/overview"]),
  };
  return { named, pages };
}

/** The browser asks for the data while it loads the script, which would ask the same. */
function withPreloads({ name, type, bytes }: NamedFile, paths: readonly string[]): DashboardFile {
  const links = paths.map(
    (path) => `<link rel="preload" href="${path}" as="fetch" crossorigin="anonymous" />`,
  );
  const html = new TextDecoder().decode(bytes).replace("</head>", `${links.join("")}</head>`);
  const changed = new TextEncoder().encode(html);
  return toFile({ name, type }, changed, () => brotliOf(changed));
}

async function build(entry: string): Promise<NamedFile[]> {
  const files = await bundlePage(entry);
  return files.map(({ bytes, ...file }) => toFile(file, bytes, () => brotliOf(bytes)));
}

/** Reads a file that `.ci/dashboard.ts` put into the executable, which has only the compressed bytes. */
async function readEmbedded({ input, path, headers }: EmbeddedFile): Promise<NamedFile> {
  const brotli = new Uint8Array(await Bun.file(path).arrayBuffer());
  const bytes = new Uint8Array(await unpack(brotli));
  return toFile({ name: input ?? path, type: headers["content-type"] }, bytes, async () => brotli);
}

type EmbeddedFile = NonNullable<typeof page.files>[number];

interface NamedFile extends DashboardFile {
  name: string;
}

const pack = promisify(brotliCompress);
const unpack = promisify(brotliDecompress);

/** Compresses as well as Brotli can, which takes a second for all files. */
export async function brotliOf(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return new Uint8Array(await pack(bytes, { params }));
}

function toFile(
  { name, type }: Pick<BundledFile, "name" | "type">,
  bytes: BundledFile["bytes"],
  br: DashboardFile["encoded"]["br"],
): NamedFile {
  const gzip = async () => Bun.gzipSync(bytes, { library: "libdeflate", level: 12 });
  return {
    name,
    type,
    bytes,
    // Compresses only what is asked for.
    encoded: { br: once(br), gzip: once(gzip) },
    etag: `"${Bun.hash(bytes).toString(36)}"`,
    // The page keeps its address.
    isHashed: !type.startsWith("text/html"),
  };
}
