import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { readServerArgs } from "../../src/cli/args.ts";
import type { AppError } from "../../src/errors.ts";
import type { Changeable } from "../../src/settings/changeable.ts";
import { Settings } from "../../src/settings/settings.ts";
import type { SettingStore } from "../../src/store/store.ts";
import { failureOf, openTestStore } from "../support/store.ts";

const { config } = readServerArgs({ args: ["0", "the-admin-key"], env: {} });

const base = { about: "A test.", label: "test" };
const count: Changeable<number> = {
  ...{ ...base, schema: z.int().min(1), example: 1, defaultOf: () => 5, show: String },
};
const hook: Changeable<{ url: string; key: string }> = {
  ...{ ...base, schema: z.strictObject({ url: z.string(), key: z.string() }) },
  ...{ example: { url: "u", key: "k" }, defaultOf: () => ({ url: "", key: "" }), show: ({ url }) => url },
  masked: ({ url }) => ({ url, key: "***" }),
};
const TABLE = { count, hook };

/** Settings on a store, with what they report. `open` makes further ones on the same store. */
async function scene(wrap: (store: SettingStore) => SettingStore = (store) => store) {
  const { settings: store } = openTestStore();
  const open = () => {
    const ignored: string[] = [];
    const changed: string[][] = [];
    const details: object[] = [];
    const settings = new Settings({
      ...{ table: TABLE, config, store: wrap(store) },
      onIgnored: (name) => void ignored.push(name),
    });
    settings.onChange((names) => void changed.push([...names]));
    const change = (given: Parameters<typeof settings.change>[0], mayChange = (_revision: string) => true) =>
      settings.change(given, {
        mayChange,
        async record(detail, make) {
          details.push(detail);
          await make();
        },
      });
    return { settings, ignored, changed, details, change };
  };
  return { store, open, ...open() };
}

const codeOf = async (run: () => Promise<unknown>) => ((await failureOf(run)) as AppError | undefined)?.code;

describe("settings", () => {
  test("a change is in force at once in the same object, and null takes it back", async () => {
    const { settings, change, changed, store } = await scene();
    const { values } = settings;
    expect(values.count).toBe(5);
    await change({ count: 7 });
    expect([values.count, settings.describe("count")]).toEqual([
      7,
      { text: "7", value: 7, default: 5, changedAt: (await store.list())[0]?.changedAt ?? 0 },
    ]);
    await change({ count: null });
    expect([values.count, settings.describe("count")?.changedAt]).toEqual([5, null]);
    expect(await store.list()).toEqual([]);
    expect(changed).toEqual([["count"], ["count"]]);
  });

  test("a listener of one setting is called for its changes only, with the value", async () => {
    const { settings, change } = await scene();
    const { current, onChange } = settings.select("hook");
    const heard: string[] = [];
    onChange(({ url }) => void heard.push(url));
    await change({ count: 6 });
    await change({ hook: { url: "a", key: "k" } });
    await change({ hook: { url: "a", key: "k" }, count: 8 });
    expect([heard, current().key]).toEqual([["a"], "k"]);
  });

  test("secrets are neither described nor recorded", async () => {
    const { settings, change, details } = await scene();
    await change({ hook: { url: "a", key: "secret" }, count: 6 });
    await change({ hook: null });
    expect(details).toEqual([
      {
        hook: { from: { url: "", key: "***" }, to: { url: "a", key: "***" } },
        count: { from: 5, to: 6 },
      },
      { hook: { from: { url: "a", key: "***" }, to: { url: "", key: "***" }, reset: true } },
    ]);
    expect(settings.describe("hook")).toMatchObject({ text: "", value: { url: "", key: "***" } });
  });

  test("nothing is recorded or stored if nothing changes, or if the change cannot be recorded", async () => {
    const { settings, change, details, store } = await scene();
    await change({});
    await change({ count: null, hook: undefined });
    await change({ count: 6 });
    await change({ count: 6 });
    expect(details).toEqual([{ count: { from: 5, to: 6 } }]);
    const record = async () => {
      throw new Error("no room");
    };
    await failureOf(() => settings.change({ count: 7 }, { mayChange: () => true, record }));
    expect([settings.values.count, (await store.list()).length]).toEqual([6, 1]);
  });

  test("the revision is that of the database: a change of another server makes it another one", async () => {
    const { settings, change, open } = await scene();
    const other = open();
    await other.settings.reload();
    expect(other.settings.revision).toBe(settings.revision);
    const { revision } = settings;
    await other.change({ count: 9 });
    expect(await codeOf(() => change({ hook: null, count: 6 }, (now) => now === revision))).toBe(
      "settings_changed",
    );
    // It was read for the check, and is in force.
    expect(settings.values.count).toBe(9);
    await change({ count: 6 }, (now) => now === other.settings.revision);
    await other.settings.reload();
    expect([other.settings.values.count, other.changed]).toEqual([6, [["count"], ["count"]]]);
  });

  test("a change that another server makes between the reading and the writing is not lost", async () => {
    let before = async () => {};
    const { change, store, settings } = await scene((store) => ({
      ...store,
      async change(...given) {
        await before();
        return store.change(...given);
      },
    }));
    const meanwhile = (value: string) => async () => {
      before = async () => {};
      await store.change([{ name: "count", value }], await store.list());
    };
    before = meanwhile("8");
    const { revision } = settings;
    const onlyIf = (now: string) => now === revision;
    expect(await codeOf(() => change({ hook: { url: "a", key: "" } }, onlyIf))).toBe("settings_changed");
    expect([settings.values.count, settings.values.hook.url]).toEqual([8, ""]);
    // Without a condition both changes count.
    before = meanwhile("9");
    await change({ hook: { url: "a", key: "" } });
    expect([settings.values.count, settings.values.hook.url]).toEqual([9, "a"]);
  });

  test("a server whose changes are always overtaken gives up", async () => {
    let count = 1;
    const { change, settings } = await scene((store) => ({
      ...store,
      async change(...given) {
        await store.change([{ name: "count", value: `${count++}` }], await store.list());
        return store.change(...given);
      },
    }));
    expect(await codeOf(() => change({ hook: { url: "a", key: "" } }))).toBe("settings_changed");
    expect(settings.values.hook.url).toBe("");
  });

  test("a list that was read before a change does not replace it", async () => {
    const gate = Promise.withResolvers<void>();
    let waits = false;
    const { settings, change } = await scene((store) => ({
      ...store,
      async list() {
        const found = await store.list();
        if (waits) await gate.promise;
        return found;
      },
    }));
    waits = true;
    const reading = settings.reload();
    waits = false;
    const changing = change({ count: 6 });
    gate.resolve();
    await Promise.all([reading, changing]);
    expect(settings.values.count).toBe(6);
  });

  test("a value that is not valid, and an unknown setting, are reported once, ignored and kept", async () => {
    const { settings, store, ignored, change } = await scene();
    const rows = [
      { name: "count", value: "0" },
      { name: "hook", value: "{" },
      { name: "toString", value: "1" },
      { name: "of a newer version", value: "1" },
    ];
    await store.change(rows, []);
    await settings.reload();
    await settings.reload();
    expect(ignored.toSorted()).toEqual(["count", "hook", "of a newer version", "toString"]);
    expect(settings.values).toEqual({ count: 5, hook: { url: "", key: "" } });
    expect([settings.describe("count")?.changedAt, settings.describe("toString")]).toEqual([null, undefined]);
    await change({ count: null, hook: { url: "a", key: "" } });
    expect((await store.list()).map(({ name }) => name)).toEqual(["hook", "of a newer version", "toString"]);
    expect(settings.values.hook.url).toBe("a");
  });

  test("values stay as they are while the database cannot be read or written, and reading works again", async () => {
    let fails = false;
    const failing = <T>(run: () => Promise<T>) => (fails ? Promise.reject(new Error("away")) : run());
    const { settings, change } = await scene((store) => ({
      list: () => failing(store.list),
      change: store.change,
    }));
    await change({ count: 6 });
    fails = true;
    expect(await failureOf(() => settings.reload())).toBeInstanceOf(Error);
    expect(await codeOf(() => change({ count: 7 }))).toBe("settings_change_failed");
    fails = false;
    await settings.reload();
    expect(settings.values.count).toBe(6);
  });

  test("a value that is too long as JSON is refused by its name, and a long one is cut off in the audit", async () => {
    const { change, details } = await scene();
    const failure = (await failureOf(() =>
      change({ count: 6, hook: { url: "x".repeat(65_536), key: "" } }),
    )) as AppError;
    expect([failure.code, failure.hint]).toEqual([
      "body_invalid",
      "`hook` is not valid: must have at most 65536 characters as JSON.",
    ]);
    await change({ hook: { url: "x".repeat(60_000), key: "" } });
    const [{ hook }] = details as [{ hook: { from: unknown; to: string } }];
    expect([hook.from, hook.to.length]).toEqual([{ url: "", key: "***" }, 2_001]);
  });
});
