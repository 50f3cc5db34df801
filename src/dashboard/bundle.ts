import { inlineTexts, type TextTable } from "./inline-texts.ts";

/** The address of the files, which the page names by absolute addresses. */
const BASE = "/dashboard/";

export interface BundledFile {
  /** The name that the page uses, which contains a hash of the content. The page itself is `index.html`. */
  name: string;
  /** The `Content-Type`. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Not imported: the executable, which has the built page, would have the table a second time. */
const ENGLISH = Bun.pathToFileURL(`${import.meta.dir}/texts/en.json`);

/** Builds the page at `entry` and everything it refers to, in memory: in English, or with a translation. */
export async function bundlePage(entry: string, translation?: TextTable): Promise<BundledFile[]> {
  const texts: TextTable = translation ?? (await Bun.file(ENGLISH).json());
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    plugins: [await inlineTexts(texts)],
    minify: true,
    // Each page of the dashboard is a file of its own, which is loaded when it is shown.
    splitting: true,
    publicPath: BASE,
    jsx: { development: false },
  });
  return Promise.all(
    outputs.map(async (output) => ({
      name: output.path.split(/[\\/]/).at(-1) ?? output.path,
      type: output.type,
      bytes: await bytesOf(output),
    })),
  );
}

/**
 * Matches what the bundler adds to style sheets: rules and values for browsers without `:is()` or `fit-content`, which could
 * not show the page in any case, and variables for `light-dark()`, which the page does not use.
 */
const UNUSED_STYLES =
  /[^{}]*:-(?:webkit|moz)-any\([^{}]*\{[^{}]*\}|[\w-]+:-moz-fit-content;|--buncss-(?:light|dark):[^;}]*;?/g;

async function bytesOf(output: Bun.BuildArtifact): Promise<BundledFile["bytes"]> {
  if (!output.type.startsWith("text/css")) return new Uint8Array(await output.arrayBuffer());
  return new TextEncoder().encode((await output.text()).replace(UNUSED_STYLES, ""));
}
