import { describe, expect, test } from "bun:test";
import type { AgentKey } from "../../../../src/dashboard/api/types.ts";
import {
  EMPTY_KEY_FORM,
  keyChangesOf,
  keyFormValuesOf,
  ownerIdOf,
  preferenceText,
} from "../../../../src/dashboard/pages/agents/key-form.ts";
import { userOf } from "../../../support/dashboard-users.ts";
import { failureOf } from "../../../support/store.ts";

const KEY: AgentKey = {
  ...{ id: "k", name: "box", models: null, created_at: "2026-11-23T08:00:00.000Z", revoked_at: null },
  ...{ priority: null, weight: null, tags: null, owner_id: null, shows_name: false },
};
const FULL: AgentKey = {
  ...KEY,
  ...{ priority: -5, weight: 2.5, tags: ["home", "gpu"], owner_id: "u1", shows_name: true },
};
const findOwner = async (text: string) => `id of ${text}`;

describe("the form of an agent key", () => {
  test("a form that is submitted as it was shown changes nothing", async () => {
    for (const key of [KEY, FULL]) {
      const values = keyFormValuesOf(key);
      expect(await keyChangesOf(values, values, findOwner)).toEqual({});
    }
    // A browser sends nothing for a box that is not checked.
    expect(await keyChangesOf(EMPTY_KEY_FORM, {}, findOwner)).toEqual({});
  });

  test("only the fields that were changed are sent, and an empty field is null", async () => {
    const values = keyFormValuesOf(FULL);
    expect(
      await keyChangesOf(values, { ...values, priority: " 7 ", tags: "home,\noffice" }, findOwner),
    ).toEqual({
      ...{ priority: 7, tags: ["home", "office"] },
    });
    const cleared = { priority: null, weight: null, tags: null, owner_id: null, shows_name: false };
    expect(await keyChangesOf(values, {}, findOwner)).toEqual(cleared);
    expect(await keyChangesOf(EMPTY_KEY_FORM, { owner: "Ann", shows_name: "on" }, findOwner)).toEqual({
      ...{ owner_id: "id of Ann", shows_name: true },
    });
  });

  test("a number that is not a number is refused in words", async () => {
    for (const [name, message] of [
      ["priority", "The priority must be a number."],
      ["weight", "The weight must be a number."],
    ] as const)
      expect(String(await failureOf(() => keyChangesOf(EMPTY_KEY_FORM, { [name]: "x" }, findOwner)))).toBe(
        `Error: ${message}`,
      );
  });
});

test("an owner is found by id, or by a name that only one user has", async () => {
  const users = [
    userOf({ user_id: "u1", name: "Ann" }),
    userOf({ user_id: "u2", name: "Bob" }),
    userOf({ user_id: "u3", name: "Bob" }),
    userOf({ user_id: "Bob", name: "u2" }),
  ];
  expect(ownerIdOf("Ann", users)).toBe("u1");
  expect(ownerIdOf("u2", users)).toBe("u2");
  expect(ownerIdOf("Bob", users)).toBe("Bob");
  expect(String(await failureOf(() => ownerIdOf("Bob", users.slice(0, 3))))).toContain("Several users");
  expect(String(await failureOf(() => ownerIdOf("Eve", users)))).toContain("No user has the name or the ID");
});

test("the preference of a key is shown in a few words", () => {
  expect(preferenceText(KEY)).toBe("");
  expect(preferenceText(FULL)).toBe("priority -5, weight 2.5, tags home gpu, name shown to callers");
});
