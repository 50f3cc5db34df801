/** A sentence that breaks a rule of English in CONTRIBUTING.md, as far as a machine can see that. */
export interface EnglishFault {
  line: number;
  rule: string;
  text: string;
  isHint: boolean;
}

interface Sentence {
  line: number;
  text: string;
}

interface Rule {
  name: string;
  pattern: RegExp;
  /** Only a person can tell whether such a sentence is good: the rule is listed, and fails no test. */
  isHint?: true;
}

const DOC: Rule[] = [
  {
    name: "a doc comment begins with a subject or a verb",
    pattern:
      /^(Of|What|Whose|Whom|Whoever|One (that|which|who|whose)|None|As|Where|So that|That(?! \w+'s)|Than|Nobody's)\b/,
  },
  {
    name: "a doc comment begins with a subject or a verb",
    pattern:
      /^(It|Its|By|For|From|In|On|To|With|Without|Under|At|Beside|Also|And|Or|How|Which|Who|They|Them|Their|Those|These)\b/,
    isHint: true,
  },
];

const EVERYWHERE: Rule[] = [
  {
    name: '"is not a", not "is no" or "is none"',
    pattern:
      /(?<!\b(there|it|this)) (is|are|was|were|be|been) (none|no (?!longer|more|one|different|better|worse|later|earlier|less|fewer|larger|greater|older)[a-z]+)\b/i,
  },
  { name: '"returns", not "gives what"', pattern: /\b(gives?|given) (what|whichever|that which)\b/i },
  {
    name: '"is called with", not "is told"',
    pattern: /\b(is|are|was|were|be|been) told\b(?! (to|apart)\b)/i,
  },
  {
    name: '"until then", not "so long"',
    pattern: /\b(for|in|about|within|after|of|by|than) so (long|many|much)\b(?! (as|that)\b)/i,
  },
  { name: '"that many", not "so many"', pattern: /(^|[.:;] )So (long|many|much)\b(?! as\b)/ },
  { name: '"until then", not "so long"', pattern: /\bso (long|many|much)\b(?! (as|that)\b)/i, isHint: true },
  { name: 'people are "they"', pattern: /\b(he|him|his|himself|she|her|herself)\b/i },
  { name: "no archaic words", pattern: /\b(whoever|whomever|thereof|therein|of whom|nobody's|Data lie)\b/i },
  {
    name: "v1 and v2 name the agent protocols",
    pattern:
      /\b(protocol (version )?[12]\b(?!\.)|version [12] (agents?|protocol)|agents? of version [12]|reference('s)? (agents?|protocols?)|agents? of the reference('s protocol)?)\b/i,
  },
];

const TITLE: Rule[] = [
  {
    name: "a test title is a full sentence",
    pattern:
      /^(of|and|or|but|nor|not|is|are|was|were|has|have|had|gives?|takes?|does|do|can|may|must|than|that|which|who|whose|what|where|it|its|they|their|them|as (?!many|much|long|soon|few)|so|also)\b/,
  },
  {
    name: "a test title is a full sentence",
    pattern:
      /^(in|on|at|by|to|for|from|with|without|within|one|ones|none|only|even|until|unless|when|while|[a-z]+s \w+|\S+( \S+)?$)\b/,
    isHint: true,
  },
  {
    name: "a test title is more than a placeholder",
    pattern: /^[\s.,:;"'`]*(%[a-z#%]|\$[\w.]+|\$\{[^}]*\})[\s.,:;"'`]*$/,
  },
];

const BLOCK = /^[ \t]*\{?\/\*(\*?)([\s\S]*?)\*\//gm;
const LINES = /(?:^[ \t]*\/\/ .*\n?)+/gm;
const TRAILING = /[;,{}()] \/\/ (.*)$/gm;

/** Returns one sentence for each match, with the marks of the comment and the line breaks removed. */
function matchesIn(source: string, pattern: RegExp, group: number): (Sentence & { isDoc: boolean })[] {
  return [...source.matchAll(pattern)].map((match) => ({
    line: source.slice(0, match.index).split("\n").length,
    text: (match[group] ?? "")
      .replace(/^[ \t]*(\/\/|\*)?[ \t]*/gm, "")
      .replaceAll("\n", " ")
      .trim(),
    isDoc: match[1] === "*",
  }));
}

/** Returns the comments of a source, each block and each run of lines as one text. */
function commentsOf(source: string) {
  return [...matchesIn(source, BLOCK, 2), ...matchesIn(source, LINES, 0), ...matchesIn(source, TRAILING, 1)];
}

const TITLED =
  /\b(?:test|it)(?:\.(?:if|skipIf|each|todo|only|failing|serial|concurrent)\((?:[^()"'`]|"[^"]*"|'[^']*'|`[^`]*`|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))*\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;

function titlesOf(source: string): Sentence[] {
  const found: Sentence[] = [];
  for (const match of source.matchAll(TITLED)) {
    const at = match.index + match[0].length;
    found.push({ line: source.slice(0, at).split("\n").length, text: match[1] ?? match[2] ?? "" });
  }
  return found;
}

const STRING = /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** The string literals that hold words, as a text for a person does. */
function textsOf(source: string): Sentence[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, (text) => text.replace(/[^\n]/g, " "));
  const found: Sentence[] = [];
  for (const [index, line] of code.split("\n").entries()) {
    if (/^\s*\/\//.test(line)) continue;
    for (const match of line.matchAll(STRING)) {
      const text = match[1] ?? match[2] ?? "";
      if (/[A-Za-z]+ [a-z]+ [a-z]+/.test(text)) found.push({ line: index + 1, text });
    }
  }
  return found;
}

/** Returns the lines of a document, without code and quotations. */
function proseOf(document: string): Sentence[] {
  const hidden = /^```[\s\S]*?^```|`[^`]*`|"[^"\n]*(\n[^"\n]+)?"/gm;
  const prose = document.replace(hidden, (text) => text.replace(/[^\n]/g, ""));
  return prose.split("\n").map((text, index) => ({ line: index + 1, text }));
}

/** Checks a document, or the comments, the test titles and, in `src`, the texts of a source. */
export function englishFaults(path: string, source: string): EnglishFault[] {
  const faults: EnglishFault[] = [];
  const check = (rules: readonly Rule[], sentences: readonly Sentence[]) => {
    for (const { line, text } of sentences) {
      const broken = rules.filter(({ pattern }) => pattern.test(text));
      const rule = broken.find(({ isHint }) => !isHint) ?? broken[0];
      if (rule) faults.push({ line, rule: rule.name, text, isHint: rule.isHint ?? false });
    }
  };
  if (path.endsWith(".md")) {
    check(EVERYWHERE, proseOf(source));
    return faults;
  }
  const comments = commentsOf(source);
  check(
    DOC,
    comments.filter(({ isDoc }) => isDoc),
  );
  check(EVERYWHERE, comments);
  if (path.startsWith("src/")) check(EVERYWHERE, textsOf(source));
  if (path.endsWith(".test.ts")) check([...TITLE, ...EVERYWHERE], titlesOf(source));
  return faults;
}
