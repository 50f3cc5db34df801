import { describe, expect, test } from "bun:test";
import type { BackEnd } from "./back-end.ts";

/** Defines the tests of the settings that administrators change. */
export function testSettings(backEnd: BackEnd): void {
  async function scene() {
    const clock = { now: 10 };
    const data = await backEnd.create();
    const open = async () => (await data.open({ now: () => clock.now })).settings;
    return { settings: await open(), clock, open };
  }

  describe("settings", () => {
    test("settings are set, replaced and deleted together, and listed by their names", async () => {
      const { settings, clock, open } = await scene();
      const first = await settings.change(
        [
          { name: "b", value: '{"z":1,"a":"é\\u0000"}' },
          { name: "a", value: "[2]" },
          { name: "B", value: "3" },
        ],
        [],
      );
      const wanted = [
        { name: "B", value: "3", changedAt: 10 },
        { name: "a", value: "[2]", changedAt: 10 },
        { name: "b", value: '{"z":1,"a":"é\\u0000"}', changedAt: 10 },
      ];
      expect(first).toEqual(wanted);
      clock.now = 20;
      const second = await settings.change(
        [
          { name: "a", value: "4" },
          { name: "b", value: null },
          { name: "none", value: null },
        ],
        wanted,
      );
      const left = [
        { name: "B", value: "3", changedAt: 10 },
        { name: "a", value: "4", changedAt: 20 },
      ];
      expect(second).toEqual(left);
      expect(await (await open()).list()).toEqual(left);
    });

    test("nothing changes if the settings are not those that are known", async () => {
      const { settings, clock } = await scene();
      const one = { name: "a", value: "1" };
      expect(await settings.change([one], [{ ...one, changedAt: 10 }])).toBe(false);
      expect(await settings.list()).toEqual([]);
      const known = (await settings.change([one], [])) || [];
      clock.now = 20;
      expect(await settings.change([one], known)).toEqual([{ ...one, changedAt: 20 }]);
      for (const old of [[], known])
        expect(await settings.change([{ name: "a", value: null }], old)).toBe(false);
      expect(await settings.list()).toEqual([{ ...one, changedAt: 20 }]);
    });

    test("of changes that several processes make at the same time to the same settings, one is made", async () => {
      const { settings, open } = await scene();
      const other = await open();
      const tries = Array.from({ length: 6 }, (_, nth) =>
        (nth % 2 ? settings : other).change([{ name: `setting ${nth}`, value: "1" }], []),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await settings.list()).toHaveLength(1);
    });
  });
}
