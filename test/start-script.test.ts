import { expect, test } from "bun:test";
import { join } from "node:path";
import { tempFolder } from "./support/store.ts";

test("a script that is started in a checkout does not print its arguments, which may be keys", async () => {
  const folder = tempFolder();
  await Bun.write(join(folder, "bunfig.toml"), Bun.file(join(import.meta.dir, "../bunfig.toml")));
  await Bun.write(join(folder, "package.json"), JSON.stringify({ scripts: { start: "true" } }));
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, "start", "8080", "secret-key"], {
    cwd: folder,
  });
  expect({ exitCode, stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "",
  });
});
