export interface BundledFile {
  /** As the page names it, with a part that changes with its content; the page's own is `index.html`. */
  name: string;
  /** The `Content-Type`. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Builds the page at `entry` and all that it names, in memory. */
export async function bundlePage(entry: string): Promise<BundledFile[]> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    minify: true,
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
