import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { SETTINGS, type SettingName } from "../../src/config/settings.ts";
import { CHANGEABLE } from "../../src/settings/declarations.ts";

const NUMBERS = Object.keys(CHANGEABLE).filter(
  (name) => typeof CHANGEABLE[name as never]["example"] === "number",
);

/** Whether the flag accepts the number, which is in milliseconds for a time. */
function flagAccepts(name: string, value: number): boolean {
  return SETTINGS[name as SettingName].schema.safeParse(name.endsWith("Ms") ? `${value}ms` : `${value}`)
    .success;
}

describe("the settings that can be changed while the server runs", () => {
  test.each(NUMBERS)("the setting %s has the same bounds as its flag", (name) => {
    const { schema } = CHANGEABLE[name as keyof typeof CHANGEABLE];
    const { minimum = Number.NaN, maximum = Number.NaN } = schema.toJSONSchema() as Record<string, number>;
    for (const value of [minimum, maximum, minimum - 1, maximum + 1])
      expect([name, value, flagAccepts(name, value)]).toEqual([name, value, schema.safeParse(value).success]);
    expect([minimum, maximum].map((value) => schema.safeParse(value).success)).toEqual([true, true]);
  });

  test("the default is what the flag says", () => {
    const flags = ["--model-alias", "fast=llama", "--fallback", "llama=qwen,gpt", "--queue-wait", "90s"];
    const { config } = readServerArgs({ args: ["0", "the-admin-key", ...flags], env: {} });
    const { modelAliases, fallbacks, queueWaitMs, usageDays } = CHANGEABLE;
    expect(modelAliases.defaultOf(config)).toEqual({ fast: "llama" });
    expect(fallbacks.defaultOf(config)).toEqual({ llama: ["qwen", "gpt"] });
    expect([queueWaitMs.defaultOf(config), usageDays.defaultOf(config)]).toEqual([90_000, 365]);
    expect(queueWaitMs.show(90_000)).toBe("90s");
    expect([modelAliases.show({ a: "b", c: "d" }), modelAliases.show({})]).toEqual(["a=b,c=d", "(none)"]);
  });

  test("aliases and fallbacks take what may become valid, and refuse what never is", () => {
    const { modelAliases, fallbacks } = CHANGEABLE;
    const takes = ({ schema }: (typeof CHANGEABLE)[keyof typeof CHANGEABLE], value: unknown) =>
      schema.safeParse(value).success;
    for (const value of [{}, { "gpt-4": "no model yet" }, { a: "b", b: "a" }])
      expect(takes(modelAliases, value)).toBe(true);
    for (const value of [
      null,
      [],
      { a: "a" },
      { a: "" },
      { "": "a" },
      { a: 7 },
      { " a": "b" },
      { a: "b\n" },
      { a: "x".repeat(257) },
    ])
      expect([value, takes(modelAliases, value)]).toEqual([value, false]);
    const many = (count: number) => Array.from({ length: count }, (_, nth) => `m${nth}`);
    for (const value of [{}, { a: ["b"] }, { a: many(16) }]) expect(takes(fallbacks, value)).toBe(true);
    for (const value of [
      { a: [] },
      { a: ["a"] },
      { a: ["b", "b"] },
      { a: "b" },
      { a: many(17) },
      { a: [""] },
    ])
      expect([value, takes(fallbacks, value)]).toEqual([value, false]);
    expect(takes(modelAliases, Object.fromEntries(many(1_001).map((name) => [name, "m"])))).toBe(false);
  });
});
