import { describe, test } from "bun:test";

/**
 * The programs that some tests run, each with the Debian package that has it, if that is named otherwise. Claude
 * Code and Codex are too large to be dependencies: each takes some 400 MB.
 */
const PACKAGES = {
  bash: undefined,
  caddy: undefined,
  chromium: undefined,
  claude: "@anthropic-ai/claude-code@2.1 from npm, and put it on the PATH",
  codex: "@openai/codex@0.171 from npm, and put it on the PATH",
  curl: undefined,
  dpkg: undefined,
  haproxy: undefined,
  ip: "iproute2",
  "nats-server": undefined,
  nginx: undefined,
  npm: undefined,
  openssl: undefined,
  pebble: undefined,
  pwsh: "PowerShell 7",
  python3: undefined,
  squid: undefined,
  rpmbuild: "rpm",
  ruby: undefined,
  shellcheck: undefined,
  "systemd-analyze": "systemd",
  tar: undefined,
  tinyproxy: undefined,
};

type Program = keyof typeof PACKAGES;

/** Debian keeps servers where an ordinary user does not look. */
const PATH = `${process.env["PATH"]}:/usr/sbin`;
const OTHER_NAMES: Partial<Record<Program, string[]>> = { chromium: ["chromium-browser", "google-chrome"] };

/** Returns the path of the program; undefined if it is not installed. */
export function findProgram(program: Program): string | undefined {
  const names = [program, ...(OTHER_NAMES[program] ?? [])];
  return names.map((name) => Bun.which(name, { PATH })).find((path) => path !== null) ?? undefined;
}

const advice = (program: Program) => `(skipped: install ${PACKAGES[program] ?? program})`;
const skipped = new Set<string>();

/** Defines tests that run the program. If it is not installed, all of one title are skipped with one line. */
export function describeWith(program: Program, title: string, tests: (path: string) => void): void {
  const path = findProgram(program);
  if (path !== undefined) return void describe(title, () => tests(path));
  const line = `${title} ${advice(program)}`;
  if (!skipped.has(line)) test.skip(line, () => {});
  skipped.add(line);
}

/** Defines a test that runs the program, or is skipped if that is not installed. */
export function testWith(program: Program, title: string, run: (path: string) => unknown): void {
  const path = findProgram(program);
  if (path === undefined) test.skip(`${title} ${advice(program)}`, () => {});
  else test(title, async () => void (await run(path)));
}
