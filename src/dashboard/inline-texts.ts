import { Glob } from "bun";

/** The texts by their keys: `texts/en.json`, or a translation of it. */
export type TextTable = Readonly<Record<string, string>>;

const ROOT = import.meta.dir;
const TABLE = /[\\/]dashboard[\\/]texts[\\/]en\.json$/;
const SOURCE = /[\\/]dashboard[\\/](?!texts[\\/]texts\.ts$).+\.tsx?$/;
/** A string that may be a key. What is followed by a colon is the name of a property. */
const LITERAL = /"(\w+(?:\.[\w-]+)+)"(?!\s*:)/g;
/** A key that is put together: the part before, and the part after what is filled in. */
const BUILT = /`(\w+\.[\w.-]*)\$\{[^}`]+\}([\w.-]*)`/g;

/**
 * Puts the texts into the sources in place of their keys. Each page's file then has the texts of this page, which the
 * first load need not wait for, and no key is sent. Only keys that the sources put together stay in the table.
 */
export async function inlineTexts(table: TextTable): Promise<Bun.BunPlugin> {
  const sources = await readSources();
  const built = sources.flatMap((source) => [...source.matchAll(BUILT)].map(patternOf));
  const isBuilt = (key: string) => built.some((pattern) => pattern.test(key));
  const literals = new Map(
    sources
      .flatMap((source) => [...source.matchAll(LITERAL)].map(([, key = ""]) => key))
      .flatMap((key) => {
        const literal = literalOf(table, key);
        return literal === undefined ? [] : [[key, literal] as const];
      }),
  );
  const isInlined = (key: string) => literals.has(key) || literals.has(key.replace(/\.[a-z]+$/, ""));
  const rest = Object.fromEntries(Object.entries(table).filter(([key]) => isBuilt(key) || !isInlined(key)));
  const transpiler = new Bun.Transpiler({
    loader: "tsx",
    autoImportJSX: true,
    target: "browser",
    tsconfig: { compilerOptions: { jsx: "react-jsx", jsxImportSource: "hono/jsx/dom" } },
  });
  return {
    name: "inline-texts",
    setup(build) {
      build.onLoad({ filter: TABLE }, () => ({ loader: "json", contents: JSON.stringify(rest) }));
      build.onLoad({ filter: SOURCE }, async ({ path }) => ({
        loader: "js",
        contents: transpiler
          .transformSync(await Bun.file(path).text())
          .replaceAll(LITERAL, (literal, key: string) => literals.get(key) ?? literal),
      }));
    },
  };
}

function readSources(): Promise<string[]> {
  const paths = Array.from(new Glob("**/*.{ts,tsx}").scanSync({ cwd: ROOT, absolute: true }));
  return Promise.all(paths.filter((path) => SOURCE.test(path)).map((path) => Bun.file(path).text()));
}

function patternOf([, start = "", end = ""]: RegExpMatchArray): RegExp {
  return new RegExp(`^${RegExp.escape(start)}[\\w.-]+${RegExp.escape(end)}$`);
}

/** Returns what replaces a key: its text, or its plural forms. */
function literalOf(table: TextTable, key: string): string | undefined {
  const forms = Object.entries(table).filter(
    ([one]) => one.replace(/\.(zero|one|two|few|many|other)$/, "") === key,
  );
  const own = table[key];
  // Only the function that is called with it decides which of them is meant.
  if (own !== undefined && forms.some(([one]) => one !== key)) return undefined;
  if (own !== undefined) return JSON.stringify(own);
  if (forms.length === 0) return undefined;
  const entries = forms.map(([one, text]) => [one.slice(key.length + 1), text]);
  return `(${JSON.stringify(Object.fromEntries(entries))})`;
}
