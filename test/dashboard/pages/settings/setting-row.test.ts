import { expect, test } from "bun:test";
import {
  findSettings,
  numberForm,
  numberValue,
  type Setting,
  settingsOf,
  variableOf,
} from "../../../../src/dashboard/pages/settings/setting-row.ts";

const setting = (name: string, fields: Partial<Setting> = {}): Setting => ({
  ...{ name, value: "1", from: "default", label: `--${name}`, about: "How many.", changeable: false },
  ...fields,
});

test("settings are found by their label, value and description, whatever the case and the accents", () => {
  const rows = [
    setting("queue-max"),
    setting("host", { value: "Zürich" }),
    setting("x", { about: "A key." }),
  ];
  const found = (query: string) => findSettings(rows, query).map(({ name }) => name);
  expect(found("QUEUE")).toEqual(["queue-max"]);
  expect(found("zurich")).toEqual(["host"]);
  expect(found("how many")).toEqual(["queue-max", "host"]);
  expect(found("key queue")).toEqual([]);
  expect(found(" ")).toHaveLength(3);
});

test("the flags of the webhook are not listed beside the setting that is in force in their place", () => {
  const names = ["queueMax", "alertWebhook", "alertWebhookSecret", "alertWebhookFormat", "alertSeverity"];
  const settings = Object.fromEntries([...names, "webhook"].map((name) => [name, setting(name)]));
  const listed = settingsOf({ version: "1", started_at: "2026-11-28T07:00:00.000Z", settings });
  expect(listed.map(({ name }) => name)).toEqual(["queueMax", "webhook"]);
});

test("a flag has an environment variable, and a setting without a flag has none", () => {
  expect(variableOf("--queue-max")).toBe("CHATGPT_API_QUEUE_MAX");
  expect(variableOf("port")).toBeUndefined();
});

test("durations are typed in seconds, and other numbers as they are", () => {
  expect(numberForm({ name: "queueWaitMs", current: 1_500 })).toEqual({ value: 1.5, isDuration: true });
  expect(numberForm({ name: "queueMax", current: 7 })).toEqual({ value: 7, isDuration: false });
  expect(numberForm({ name: "modelAliases", current: {} })).toBeUndefined();
  expect(numberValue(" 1.5 ", true)).toBe(1_500);
  expect(numberValue("7", false)).toBe(7);
  for (const wrong of ["", " ", "many", "Infinity"]) expect(numberValue(wrong, false)).toBeUndefined();
});
