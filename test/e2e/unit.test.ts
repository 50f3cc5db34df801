import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "../support/executable.ts";
import { testWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

const INSTALLED = "/usr/local/bin/chatgpt-api-server";
/** The rating of `systemd-analyze security`, times ten. */
const EXPOSURE_MAX = { "operations.md": 16, "agent.md": 15 };

for (const [page, exposureMax] of Object.entries(EXPOSURE_MAX))
  testWith(
    "systemd-analyze",
    `systemd understands every line of the unit in docs/${page}, and rates it safe`,
    (analyze) => {
      const docs = readFileSync(join(import.meta.dir, "../../docs", page), "utf8");
      const [, unit = ""] = /```ini\n(.*?)```/s.exec(docs) ?? [];
      expect(unit).toContain(INSTALLED);
      expect(unit).toContain("\nLimitCORE=0\n");
      const path = join(tempFolder(), "chatgpt-api.service");
      writeFileSync(path, unit.replaceAll(INSTALLED, EXECUTABLE));
      const verified = Bun.spawnSync([analyze, "verify", path]);
      expect([verified.stderr.toString(), verified.exitCode]).toEqual(["", 0]);
      const rated = Bun.spawnSync([analyze, "security", "--offline=yes", `--threshold=${exposureMax}`, path]);
      expect([rated.stdout.toString().trim().split("\n").at(-1), rated.exitCode]).toEqual([
        expect.any(String),
        0,
      ]);
    },
  );
