export interface BundledFile {
  /** The name that the page uses, which contains a hash of the content. The page itself is `index.html`. */
  name: string;
  /** The `Content-Type`. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Builds the page at `entry` and everything it refers to, in memory. `plugins` may replace files. */
export async function bundlePage(entry: string, plugins: Bun.BunPlugin[] = []): Promise<BundledFile[]> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    plugins,
    minify: true,
    // Each page of the dashboard is a file of its own, which is loaded when it is shown.
    splitting: true,
    jsx: { development: false },
  });
  return Promise.all(
    outputs.map(async (output) => ({
      name: output.path.split(/[\\/]/).at(-1) ?? output.path,
      type: output.type,
      bytes: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}
