import { PAGES, readPage } from "./pages.ts";

/** A fenced block of shell commands on a page. */
export interface CommandBlock {
  page: string;
  /** The commands, each on one line and without its comment. */
  commands: string[];
}

/** Why commands of the documents cannot be run by a test, by how they begin. */
const NOT_RUN: Readonly<Record<string, string>> = {
  docker: "It needs a Docker engine. `bun run image` tries the image.",
  sudo: "It changes the machine. test/cli/service reads what an installation would write.",
  "chatgpt-api-server agent status": "It asks systemd about an installed service.",
  "chatgpt-api-server agent logs": "It asks systemd about an installed service.",
  "chatgpt-api-server update": "It asks for a release. test/e2e/update.test.ts updates from a folder.",
  "gh ": "It asks GitHub about a release.",
  "npm install":
    "It installs a published package. test/e2e/packages-linux.test.ts and its neighbours try those of this checkout.",
  brew: "It installs a published package.",
  "curl -f": "It downloads a release.",
  sha256sum: "It needs the files of a release.",
  "npx -y bun@1.4.5 run packages": "It needs executables for other systems.",
  "npx openapi-typescript": "It downloads a program from the package registry.",
  "npx -y bun@1.4.5 run test": "It is what runs this test.",
  "npx -y bun@1.4.5 run build":
    "It builds the executable that this test runs. test/e2e/build.test.ts builds others.",
  "bun run build": "It builds the executable that this test runs.",
  "bun run bench": "It measures for minutes. test/bench/bench.test.ts runs it for a moment.",
  "bun run simulate": "It plays for minutes. test/simulate runs the pools for a moment.",
  ollama: "It is a model server.",
  "llama-server": "It is a model server.",
  vllm: "It is a model server.",
  "lms ": "It is a model server.",
  claude: "It is a client. test/e2e/coding-agents.test.ts runs it, if it is installed.",
  'chatgpt-api-server 443 "$ADMIN_KEY" --domain':
    "It orders a certificate. test/e2e/acme.test.ts does, from a CA of its own.",
  "CHATGPT_API_ACME_EAB_KEY_FILE=": "It orders a certificate.",
  pg_dump: "It needs PostgreSQL.",
  "CHATGPT_API_DATABASE_FILE=": "It needs PostgreSQL. test/e2e/database.test.ts moves a data folder.",
  "NODE_EXTRA_CA_CERTS=":
    "It needs the server of the block before. test/e2e/tls.test.ts connects such an agent.",
};

/** The same for whole blocks, by the page and how the first command begins. */
const BLOCKS_NOT_RUN: Readonly<Record<string, string>> = {
  "docs/cluster.md: export ADMIN_KEY_FILE=":
    "It needs PostgreSQL and NATS. test/e2e/database.test.ts and test/e2e/cluster-two-nodes.test.ts start such servers.",
  "docs/agent-protocol.md: curl -si http://127.0.0.1:8080/client/poll":
    "Its second request needs the session in the answer to the first. test/agents/polling sends such requests.",
  "docs/openai.md: curl http://localhost:8080/v1/chat/completions":
    "It needs a model of that name. test/dashboard/pages/connect/guides tries its quotes, and test/e2e/dashboard-connect.test.ts the command.",
  "docs/openai.md: curl http://localhost:8080/v1/audio/transcriptions":
    "It needs such models, and a recording. test/e2e/sdk-media.test.ts sends such requests.",
  "docs/ollama-api.md: curl http://localhost:8080/api/chat":
    "It needs a model of that name. test/e2e/sdk-ollama.test.ts sends such requests.",
  "docs/alerts.md: CHATGPT_API_ALERT_WEBHOOK_FILE=":
    "It needs a receiver. test/e2e/dashboard-settings.test.ts sends test messages to one.",
  "docs/alerts.md: curl -X PATCH http://localhost:8080/admin/settings":
    "It sets a receiver. test/e2e/dashboard-problems.test.ts does, and takes it away.",
  "docs/cluster.md: cd docs/cluster": "It needs a Docker engine. test/cluster-files.test.ts reads the files.",
};

const FENCE = /^( *)```(?:sh|bash|shell|console)\n([\s\S]*?)^ *```/gm;

/** Returns all blocks of shell commands of the documents. */
export function commandBlocks(): CommandBlock[] {
  return PAGES.flatMap((page) =>
    [...readPage(page).matchAll(FENCE)].map(([, indent = "", text = ""]) => ({
      page,
      commands: commandsOf(text.replaceAll(new RegExp(`^${indent}`, "gm"), "")),
    })),
  );
}

function commandsOf(text: string): string[] {
  const lines = text.replaceAll(/\\\n\s*/g, "").split("\n");
  return lines.map((line) => line.replace(/(^|\s+)# .*$/, "").trim()).filter((line) => line !== "");
}

/** Returns the entry of the lists above that says why the command is not run; undefined for one that is run. */
export function whyNotRun({ page, commands }: CommandBlock, command: string): string | undefined {
  const block = `${page}: ${commands[0] ?? ""}`;
  const ofBlock = Object.keys(BLOCKS_NOT_RUN).find((begin) => block.startsWith(begin));
  return ofBlock ?? Object.keys(NOT_RUN).find((begin) => command.startsWith(begin));
}

/**
 * The commands that a test may run: the program itself, calls of the examples' addresses, and what prepares these. Any
 * other command could change the machine on which the tests run.
 */
const MAY_RUN = [
  /^(?:\.\/)?chatgpt-api-server(?:-linux-x64)?(?: (?!update|(?:serve|agent) (?:un)?install)|$)/,
  /^npx (?:chatgpt-api-server|-y bun@\S+ start) /,
  /^curl (?!-f)/,
  /^chmod \+x chatgpt-api-server/,
  // Only the assignments before a command were there.
  /^$/,
];
const ASSIGNMENT = /^(?:export )?(?:[A-Z][A-Z_]*=[^\s;&|`$()]*(?:\$[A-Z]+)?(?: +|$))+/;
const PLACEHOLDER = /<(?:agent key|server|id|token)>/g;
const RANDOM_KEY = "$(openssl rand -hex 16)";
/** The hosts that stand for the servers of a test. */
const EXAMPLE_HOST = /^(localhost|127\.0\.0\.1|your\.host|gpu-box|(chat|api)\.example\.com)$/;

/** Whether a test may run the command. */
export function mayRun(command: string): boolean {
  const plain = command.replaceAll(PLACEHOLDER, "x").replace(RANDOM_KEY, "").replace(ASSIGNMENT, "");
  const hosts = [...plain.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host = ""]) => host);
  return (
    MAY_RUN.some((pattern) => pattern.test(plain)) &&
    !/[;&|`>]|\$\(/.test(plain) &&
    hosts.every((host) => EXAMPLE_HOST.test(host))
  );
}

/** All entries of both lists. */
export const REASONS: readonly string[] = [...Object.keys(NOT_RUN), ...Object.keys(BLOCKS_NOT_RUN)];
