/** The texts by their keys: `texts/en.json`, or a translation of it. */
export type TextTable = Readonly<Record<string, string>>;

const ROOT = import.meta.dir;
const TABLE = /[\\/]dashboard[\\/]texts[\\/]en\.json$/;
const SOURCE = /[\\/]dashboard[\\/](?!texts[\\/]texts\.ts$).+\.tsx?$/;
/** A string that may be a key. What is followed by a colon is the name of a property, unless it is one of two values. */
const LITERAL = /(?<=\?\s*)"(\w+(?:\.[\w-]+)+)"|"(\w+(?:\.[\w-]+)+)"(?!\s*:)/g;
/** A key that is put together: the part before, and the part after what is filled in. */
const BUILT = /`(\w+\.[\w.-]*)\$\{[^}`]+\}([\w.-]*)`/g;

/**
 * Puts the texts into the sources in place of their keys. Each page's file then has the texts of this page, which the
 * first load need not wait for, and no key is sent. Only keys that the sources put together stay in the table.
 */
export async function inlineTexts(table: TextTable): Promise<Bun.BunPlugin> {
  const sources = await readSources();
  const changed = new Map(Array.from(sources, ([path, source]) => [path, inlined(source, table)]));
  const rest = JSON.stringify(restOf(table, [...changed.values()].join("\n")));
  return {
    name: "inline-texts",
    setup(build) {
      build.onLoad({ filter: TABLE }, () => ({ loader: "json", contents: rest }));
      build.onLoad({ filter: SOURCE }, ({ path }) => {
        const contents = changed.get(path);
        return contents === undefined ? undefined : { loader: "js", contents };
      });
    },
  };
}

/** Returns the sources as JavaScript, by their paths. */
async function readSources(): Promise<Map<string, string>> {
  const transpiler = new Bun.Transpiler({
    loader: "tsx",
    autoImportJSX: true,
    target: "browser",
    tsconfig: { compilerOptions: { jsx: "react-jsx", jsxImportSource: "hono/jsx/dom" } },
  });
  const paths = Array.from(new Bun.Glob("**/*.{ts,tsx}").scanSync({ cwd: ROOT, absolute: true }));
  return new Map(
    await Promise.all(
      paths
        .filter((path) => SOURCE.test(path))
        .map(async (path) => [path, transpiler.transformSync(await Bun.file(path).text())] as const),
    ),
  );
}

function inlined(source: string, table: TextTable): string {
  return source.replaceAll(
    LITERAL,
    (literal, chosen?: string, other?: string) => literalOf(table, chosen ?? other ?? "") ?? literal,
  );
}

/** Returns the texts whose keys the changed sources still name, or put together. */
function restOf(table: TextTable, changed: string): TextTable {
  const built = [...changed.matchAll(BUILT)].map(patternOf);
  return Object.fromEntries(
    Object.entries(table).filter(
      ([key]) =>
        !key.includes(".") ||
        [key, startOf(key)].some((name) => changed.includes(`"${name}"`)) ||
        built.some((pattern) => pattern.test(key)),
    ),
  );
}

function patternOf([, start = "", end = ""]: RegExpMatchArray): RegExp {
  return new RegExp(`^${RegExp.escape(start)}[\\w.-]+${RegExp.escape(end)}$`);
}

/** Returns a key without its plural form. */
const startOf = (key: string) => key.replace(/\.(zero|one|two|few|many|other)$/, "");

/** Returns what replaces a key: its text, or its plural forms. */
function literalOf(table: TextTable, key: string): string | undefined {
  const forms = Object.entries(table).filter(([one]) => startOf(one) === key);
  const own = table[key];
  // Only the function that is called with it decides which of them is meant.
  if (own !== undefined && forms.some(([one]) => one !== key)) return undefined;
  if (own !== undefined) return JSON.stringify(own);
  if (forms.length === 0) return undefined;
  const entries = forms.map(([one, text]) => [one.slice(key.length + 1), text]);
  return `(${JSON.stringify(Object.fromEntries(entries))})`;
}
