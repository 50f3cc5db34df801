import type { BunPlugin } from "bun";

const SCHEME = "library";
const FILE_SCHEME = "library-file";

/**
 * Libraries that nothing at the start of the server needs, by the name of the file that has them. Those of one file share
 * code. Each must be imported only by modules that are imported when they are needed, as its module awaits the file.
 */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  nats: ["@nats-io/transport-node"],
  sigstore: ["@sigstore/bundle", "@sigstore/protobuf-specs", "@sigstore/verify"],
  yaml: ["yaml"],
};

/**
 * Makes some libraries files of their own in the executable, without bytecode and without a source map. These two take
 * six times the space of the code, and are worth it for what runs at each start.
 */
export async function librariesPlugin(root: string): Promise<BunPlugin> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const modules = new Map<string, string>();
  for (const [file, libraries] of Object.entries(LIBRARIES)) {
    files.set(file, await bundle(root, libraries));
    for (const [index, library] of libraries.entries()) {
      modules.set(library, moduleOf(file, index, await exportsOf(root, library)));
    }
  }
  return {
    name: SCHEME,
    setup(build) {
      build.onResolve({ filter: /^[@a-z]/ }, ({ path }) =>
        modules.has(path) ? { path, namespace: SCHEME } : undefined,
      );
      build.onResolve({ filter: new RegExp(`^${FILE_SCHEME}:`) }, ({ path }) => ({
        path: `${path.slice(FILE_SCHEME.length + 1)}.js`,
        namespace: FILE_SCHEME,
      }));
      build.onLoad({ filter: /./, namespace: SCHEME }, ({ path }) => ({
        loader: "js",
        contents: modules.get(path) ?? "",
      }));
      build.onLoad({ filter: /./, namespace: FILE_SCHEME }, ({ path }) => ({
        loader: "file",
        contents: files.get(path.replace(/\.js$/, "")) ?? "",
      }));
    },
  };
}

/** Bundles libraries to a module that exports each of them as an object, in their order. */
async function bundle(root: string, libraries: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const exports = libraries.map(
    (library, index) => `export * as library${index} from ${JSON.stringify(library)};\n`,
  );
  const entry = `${root}/libraries.js`;
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    files: { [entry]: exports.join("") },
    target: "bun",
    format: "esm",
    minify: true,
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
  });
  const [output] = outputs;
  if (!output) throw new Error(`The libraries ${libraries.join(", ")} cannot be bundled.`);
  return new Uint8Array(await output.arrayBuffer());
}

async function exportsOf(root: string, library: string): Promise<string[]> {
  const exports: object = await import(Bun.resolveSync(library, root));
  return Object.keys(exports).filter((name) => name !== "default" && /^[\w$]+$/.test(name));
}

/** Returns a module with the exports of a library, which loads its file. */
function moduleOf(file: string, index: number, names: readonly string[]): string {
  return [
    `import path from ${JSON.stringify(`${FILE_SCHEME}:${file}`)};`,
    `const { library${index} } = await import(path);`,
    `export const { ${names.join(", ")} } = library${index};`,
  ].join("\n");
}
