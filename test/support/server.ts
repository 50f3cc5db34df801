import { onTestFinished } from "bun:test";
import { join } from "node:path";
import { backupMaker } from "../../src/backup/download.ts";
import { readServerArgs } from "../../src/cli/args.ts";
import { createLog } from "../../src/log/log.ts";
import type { LinkAgent } from "../../src/protocol/agent-link.ts";
import { startServer } from "../../src/server/compose.ts";
import { keepAgentKey } from "./agent-key.ts";
import { advanceUntil, type FakeClock } from "./clock.ts";
import { expectDescribed } from "./description/described.ts";
import { tempFolder } from "./store.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
export const ADMIN_KEY = "admin-key-of-the-tests";

export interface TestServer {
  url: string;
  agentKey: string;
  /** Links an agent in this process. */
  linkAgent: LinkAgent;
  /** The code for one sign-in; undefined if the data folder had a database. */
  signInCode: string | undefined;
  /** The data folder. */
  data: string;
  /** Returns every line logged so far, as one text. */
  logged(): string;
  stop(): Promise<void>;
}

interface TestServerPlace {
  data?: string;
  port?: number;
  adminKey?: string;
  /** The system's clock by default. */
  clock?: FakeClock;
}

/** Runs the whole server in this process until the test ends, on a port and with a data folder of its own. */
export async function startTestServer(
  flags: readonly string[] = [],
  { data = tempFolder(), port = 0, adminKey = ADMIN_KEY, clock }: TestServerPlace = {},
): Promise<TestServer> {
  const { config, origins } = readServerArgs({
    args: [String(port), adminKey, "--data", data, ...flags],
    env: {},
  });
  let logged = "";
  const log = createLog({
    level: "debug",
    secrets: [adminKey],
    write: (line) => {
      logged += line;
    },
  });
  const makeBackup = backupMaker(config, [process.execPath, MAIN]);
  const server = await startServer(config, log, { origins, makeBackup, ...(clock && { clock }) });
  const url = `http://127.0.0.1:${server.port}`;
  const endDescribed = expectDescribed(url);
  const stop = clock ? () => advanceUntil(clock, server.stop()) : server.stop;
  const forgetKey = keepAgentKey(url, () => server.agentKey);
  onTestFinished(async () => {
    await stop().finally(endDescribed);
    forgetKey();
  });
  return {
    url,
    agentKey: server.agentKey,
    linkAgent: server.linkAgent,
    signInCode: server.signInCode,
    data,
    logged: () => logged,
    stop,
  };
}
