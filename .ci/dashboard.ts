import { join } from "node:path";
import type { BunPlugin } from "bun";
import { brotliOf } from "../src/dashboard/assets.ts";
import { type BundledFile, bundlePage } from "../src/dashboard/bundle.ts";

const SCHEME = "dashboard";
const MANIFEST = "manifest.js";

/**
 * Makes the dashboard's HTML import resolve to files that are built beforehand. If they were built together
 * with the executable, a source map larger than the files would be embedded too, and no browser would ever
 * ask for it. The executable has them compressed, as most browsers load them.
 */
export async function dashboardPlugin(root: string): Promise<BunPlugin> {
  const page = join(root, "src/dashboard/index.html");
  const files = new Map((await bundlePage(page)).map((file) => [file.name, file]));
  return {
    name: SCHEME,
    setup(build) {
      build.onResolve({ filter: /^\.\/index\.html$/ }, ({ importer }) =>
        importer === join(root, "src/dashboard/assets.ts")
          ? { path: MANIFEST, namespace: SCHEME }
          : undefined,
      );
      build.onResolve({ filter: new RegExp(`^${SCHEME}:`) }, ({ path }) => ({
        path: path.slice(SCHEME.length + 1),
        namespace: SCHEME,
      }));
      build.onLoad({ filter: /./, namespace: SCHEME }, async ({ path }) => {
        if (path === MANIFEST) return { loader: "js", contents: manifestOf([...files.values()]) };
        const file = files.get(path);
        if (!file) throw new Error(`The dashboard has no file ${path}.`);
        return { loader: "file", contents: await brotliOf(file.bytes) };
      });
    },
  };
}

/** Returns a module of the shape that Bun gives an HTML import. `input` is each file's name. */
function manifestOf(files: readonly BundledFile[]): string {
  const imports = files.map(
    ({ name }, index) => `import path${index} from ${JSON.stringify(`${SCHEME}:${name}`)};`,
  );
  const entries = files.map(({ name, type }, index) => {
    const headers = JSON.stringify({ "content-type": type });
    return `{ input: ${JSON.stringify(name)}, path: path${index}, headers: ${headers} }`;
  });
  return `${imports.join("\n")}\nexport default { files: [${entries.join(", ")}] };\n`;
}
