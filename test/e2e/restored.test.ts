import { expect, test } from "bun:test";
import { join } from "node:path";
import { isRestored, RESTORED_FROM, runExecutable } from "../support/executable.ts";
import { connectModel, startLoad } from "../support/load.ts";
import { startScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const USERS_BEFORE = 50;
/** The tests of what a server does for callers and agents, rather than of the program. */
const TESTS = ["contract-*.test.ts", "sdk-*.test.ts", "agents-conversation.test.ts", "operations.test.ts"];

test.skipIf(isRestored)(
  "servers restored from a backup that was taken under load pass the end-to-end tests",
  async () => {
    const scene = await startScene();
    const model = await connectModel(scene);
    const load = startLoad(scene);
    await until(() => load.acknowledged.length >= USERS_BEFORE);
    const backup = join(tempFolder(), "server.backup");
    const { code, stderr } = await runExecutable(["backup", backup, "--data", scene.server.data]);
    expect([code, stderr]).toEqual([0, ""]);
    await load.stop();
    model.stop();

    const files = TESTS.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(import.meta.dir)]);
    const child = Bun.spawn(
      [process.execPath, "test", "--timeout=300000", ...files.map((file) => join(import.meta.dir, file))],
      {
        env: { ...process.env, NO_COLOR: "1", [RESTORED_FROM]: backup },
        stdout: "ignore",
        stderr: "pipe",
      },
    );
    const report = await child.stderr.text();
    if (/^\(fail\)/m.test(report)) throw new Error(report.replaceAll(/^\(pass\).*\n/gm, ""));
    expect(Number(report.match(/^ *(\d+) pass$/m)?.[1])).toBeGreaterThan(300);
    expect(await child.exited).toBe(0);
  },
  // It runs most of the end-to-end tests, which may take several minutes on a busy machine.
  1_800_000,
);
