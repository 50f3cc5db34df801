import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "../support/executable.ts";
import { tempFolder } from "../support/store.ts";

const missing = Bun.which("systemd-analyze") ? undefined : "systemd-analyze is not installed";
const INSTALLED = "/usr/local/bin/chatgpt-api-server";

describe.skipIf(missing !== undefined)(`the systemd unit (${missing ?? "as documented"})`, () => {
  test("is understood by systemd to the last line", () => {
    const docs = readFileSync(join(import.meta.dir, "../../docs/operations.md"), "utf8");
    const [, unit = ""] = /```ini\n(.*?)```/s.exec(docs) ?? [];
    expect(unit).toContain(INSTALLED);
    const path = join(tempFolder(), "chatgpt-api-server.service");
    writeFileSync(path, unit.replaceAll(INSTALLED, EXECUTABLE));
    const { exitCode, stderr } = Bun.spawnSync(["systemd-analyze", "verify", path]);
    expect([stderr.toString(), exitCode]).toEqual(["", 0]);
  });
});
