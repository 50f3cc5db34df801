import { expect, test } from "bun:test";
import { changeToml } from "../../../src/cli/client/toml.ts";

/** A text with every kind of value, in which nothing else may look like a key or a header. */
const TEXT = `# top
a = "x = 1 # no" # comment

'quoted key' = '''
[b]
b = 1'''
list = [ # c ]
  "]", # [t]
  { k = "}" },
]
long = """
a = "\\"""
[t]
"""
when = 1979-05-27T07:32:00Z

# about t
[t] # header
k = 1
x.y = 2

[[many]]
k = 2

[t."u v"]
k = 3
`;

function changed(path: string[], value: unknown, text = TEXT): string {
  return changeToml(text, { path, value, isItem: false }) ?? "";
}

test.each([
  [["a"], 'a = "x = 1 # no" # comment\n', 'a = "new" # comment\n'],
  [["quoted key"], "'quoted key' = '''\n[b]\nb = 1'''\n", "'quoted key' = \"new\"\n"],
  [["list"], 'list = [ # c ]\n  "]", # [t]\n  { k = "}" },\n]\n', 'list = "new"\n'],
  [["long"], 'long = """\na = "\\"""\n[t]\n"""\n', 'long = "new"\n'],
  [["when"], "when = 1979-05-27T07:32:00Z\n", 'when = "new"\n'],
  [["t", "k"], "[t] # header\nk = 1\n", '[t] # header\nk = "new"\n'],
  [["t", "x", "y"], "x.y = 2\n", 'x.y = "new"\n'],
  [["t", "u v", "k"], '[t."u v"]\nk = 3\n', '[t."u v"]\nk = "new"\n'],
])("a new value of %j replaces the old one alone", (path, before, after) => {
  expect(TEXT).toContain(before);
  expect(changed(path, "new")).toBe(TEXT.replace(before, after));
});

test("a new key of the root comes first, one of a table ends it, and a new table ends the text", () => {
  expect(changed(["new"], 1)).toBe(`new = 1\n${TEXT}`);
  expect(changed(["t", "new"], true)).toBe(TEXT.replace("x.y = 2\n", "x.y = 2\nnew = true\n"));
  expect(changed(["s", "a b", "new"], 'a"b\\')).toBe(`${TEXT}\n[s."a b"]\nnew = "a\\"b\\\\"\n`);
  expect(changed(["new"], 1, "[t]\n")).toBe("new = 1\n\n[t]\n");
  expect(changed(["t", "new"], 1, "[t]")).toBe("[t]\nnew = 1\n");
  expect(changed(["t", "new"], 1, "")).toBe("[t]\nnew = 1\n");
});

test("a key is removed with its line, and one that is not there cannot be", () => {
  expect(changed(["t", "k"], undefined)).toBe(TEXT.replace("k = 1\n", ""));
  expect(changed(["long"], undefined)).toBe(TEXT.replace(/long = [\s\S]*?\n"""\n/, ""));
  expect(changeToml(TEXT, { path: ["gone"], value: undefined, isItem: false })).toBeUndefined();
  expect(changeToml(TEXT, { path: ["many", "k"], value: undefined, isItem: false })).toBeUndefined();
});

test("every change to the text is what it should be for a parser", () => {
  const before = Bun.TOML.parse(TEXT) as Record<string, Record<string, unknown>>;
  expect(Bun.TOML.parse(changed(["new"], 1))).toEqual({ ...before, new: 1 });
  expect(Bun.TOML.parse(changed(["t", "new"], 1))).toEqual({ ...before, t: { ...before["t"], new: 1 } });
  expect(Bun.TOML.parse(changed(["s", "new"], 1))).toEqual({ ...before, s: { new: 1 } });
});
