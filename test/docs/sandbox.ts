import { Database } from "bun:sqlite";
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../support/certificate.ts";
import { tempFolder } from "../support/store.ts";
import { HANG_MS } from "../support/until.ts";

const ROOT = join(import.meta.dir, "../..");
const BUN = process.execPath;

/** The addresses and keys that stand for the examples of the documents. */
export interface Stage {
  /** The address of a server whose administrator has the key `key`, without a slash at its end. */
  url: string;
  agentKey: string;
  /** The id of an agent that is connected to it. */
  agentId: string;
  token: string;
  /** A pairing code that was not used. */
  code: string;
  /** The addresses of model servers, without paths. */
  upstreams: readonly [string, string, string];
  /** The executable, and a data folder on which it has started once. */
  executable: string;
  data: string;
}

/** Makes a folder with what the commands of a page expect to find, for the calling test. */
export async function makeSandbox({ data }: Pick<Stage, "data">): Promise<string> {
  const folder = tempFolder();
  for (const name of ["bin", "home", "secrets", "Data"]) mkdirSync(join(folder, name));
  const standIn = script(
    join(folder, "bin/chatgpt-api-server"),
    `exec '${BUN}' '${ROOT}/test/docs/stand-in.ts' "$@"`,
  );
  // The documents call npx for the program itself and for the commands of package.json.
  script(
    join(folder, "bin/npx"),
    `[ "$1" != chatgpt-api-server ] || { shift; exec '${standIn}' "$@"; }
[ "$1 $2 $3" = "-y bun@${Bun.version} start" ] || { echo "npx $* is not expected" >&2; exit 1; }
shift 3
STAND_IN_FOR='["${BUN}","${ROOT}/src/main.ts"]' exec '${BUN}' '${ROOT}/test/docs/stand-in.ts' "$@"`,
  );
  for (const name of ["chatgpt-api-server", "chatgpt-api-server-linux-x64"])
    symlinkSync(standIn, join(folder, name));
  cpSync(data, join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "secrets/admin"), "key\n");
  const { cert, key } = await makeCertificate("chat.example.com");
  cpSync(cert, join(folder, "fullchain.pem"));
  cpSync(key, join(folder, "privkey.pem"));
  using users = new Database(join(folder, "Data/auth.db"), { create: true });
  users.run("CREATE TABLE tokens (user_id TEXT, token TEXT)");
  users.run(
    "INSERT INTO tokens VALUES ('1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', 'token-of-the-reference-server')",
  );
  return folder;
}

function script(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Returns a command of the documents with the stage's own addresses and keys in place of the examples. */
export function onStage(command: string, stage: Stage, folder: string): string {
  const { url, agentKey, agentId, token, code, upstreams } = stage;
  const host = url.replace("http://", "");
  const changes: [RegExp, string][] = [
    [/https?:\/\/(chat\.example\.com|your\.host)(:8080)?(?![\w:])/g, url],
    [/http:\/\/(localhost|127\.0\.0\.1):8080/g, url],
    [/\b(chat\.example\.com|your\.host|localhost):8080/g, host],
    [/<server>/g, `${host}/agents/${agentKey}`],
    [/<agent key>/g, agentKey],
    [/<id>/g, agentId],
    [/<token>/g, token],
    [/http:\/\/(127\.0\.0\.1|localhost):(11434|8081|8000|1234)/g, upstreams[0]],
    [/http:\/\/gpu-box:8000/g, upstreams[1]],
    [/https:\/\/api\.example\.com/g, upstreams[2]],
    [/(?<=[\s=])\/run\/secrets\//g, `${folder}/secrets/`],
    [/(?<=[\s=])\/data\b/g, `${folder}/data`],
    [/(?<=\s)\/backups\//g, `${folder}/`],
    [/7F4K-Q2PX/g, code],
    [/=(sk-)?…/g, "=key-of-the-upstream"],
  ];
  return changes.reduce((text, [pattern, value]) => text.replaceAll(pattern, value), command);
}

const FILE = /^```[a-z]+\n# ([\w.-]+)\n([\s\S]*?)^```/gm;

/** Writes the examples of files on a page, whose first line is a comment with their name, into the sandbox. */
export function writeFiles(page: string, stage: Stage, folder: string): void {
  for (const [, name = "", text = ""] of page.matchAll(FILE))
    writeFileSync(join(folder, name), onStage(text, stage, folder));
  writeFileSync(join(folder, "agent.key"), stage.agentKey);
  writeFileSync(join(folder, "api.key"), "key-of-the-upstream");
}

/** Runs the commands as one script of bash in the sandbox. Rejects with the output if one of them fails. */
export async function runOnStage(commands: readonly string[], stage: Stage, folder: string): Promise<void> {
  const lines = [
    "set -euo pipefail",
    `ADMIN_KEY=key TOKEN='${stage.token}'`,
    // An error status is a failure here.
    'curl() { command curl -fsS "$@"; }',
    ...commands.map((command) => onStage(command, stage, folder)),
  ];
  const child = Bun.spawn(["bash", "-c", lines.join("\n")], {
    cwd: folder,
    env: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
      HOME: join(folder, "home"),
      CHATGPT_API_TOKEN: stage.token,
      STAND_IN_FOR: JSON.stringify([stage.executable]),
      STAND_IN_UPSTREAM: stage.upstreams[0],
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`exit code ${code} of:\n${lines.slice(3).join("\n")}\n${err}${out}`);
}
