import { expect, test } from "bun:test";
import { join } from "node:path";
import { defaultText } from "../../src/config/setting.ts";
import { flagOf, SETTING_NAMES, SETTINGS, variablesOf } from "../../src/config/settings.ts";

test("docs/configuration.md has one row for each setting, with its flag, variables and default", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../docs/configuration.md")).text();
  const [, table = ""] = text.split(
    "| flag | environment | default | meaning |\n| --- | --- | --- | --- |\n",
  );
  const rows = table.split("\n\n")[0]?.split("\n") ?? [];
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim().replaceAll("`", "")));
  expect(cells.map(([, flag, variables, byDefault]) => [flag, variables, byDefault])).toEqual(
    SETTING_NAMES.map((name) => [
      flagOf(name) ?? "",
      variablesOf(name).join(", "),
      defaultText(SETTINGS[name]),
    ]),
  );
  expect(cells.every(([, , , , meaning = ""]) => meaning.length > 10)).toBe(true);
});
