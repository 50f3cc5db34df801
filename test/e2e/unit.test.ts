import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "../support/executable.ts";
import { testWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

const INSTALLED = "/usr/local/bin/chatgpt-api-server";

testWith("systemd-analyze", "systemd understands every line of the documented unit", (analyze) => {
  const docs = readFileSync(join(import.meta.dir, "../../docs/operations.md"), "utf8");
  const [, unit = ""] = /```ini\n(.*?)```/s.exec(docs) ?? [];
  expect(unit).toContain(INSTALLED);
  const path = join(tempFolder(), "chatgpt-api-server.service");
  writeFileSync(path, unit.replaceAll(INSTALLED, EXECUTABLE));
  const { exitCode, stderr } = Bun.spawnSync([analyze, "verify", path]);
  expect([stderr.toString(), exitCode]).toEqual(["", 0]);
});
