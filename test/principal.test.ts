import { expect, test } from "bun:test";
import {
  ADMIN,
  isSamePrincipal,
  principalName,
  principalNamed,
  principalOf,
  userIdOf,
  userPrincipal,
} from "../src/principal.ts";

const IDS = ["ann", "admin", "", "user:", "user:admin", "null"];
const PRINCIPALS = [ADMIN, ...IDS.map(userPrincipal)];

test("the admin and users of any id, `admin` and the empty one included, are told apart", () => {
  for (const one of PRINCIPALS)
    for (const other of PRINCIPALS) expect(isSamePrincipal(one, other)).toBe(one === other);
});

test.each([
  ["ann", "ann"],
  ["admin", "user:admin"],
  ["", "user:"],
  ["user:x", "user:user:x"],
  ["administrator", "administrator"],
])("the log names the user with the id %p %p", (id, name) => {
  expect(principalName(userPrincipal(id))).toBe(name);
});

test("the log names the admin `admin`", () => {
  expect(principalName(ADMIN)).toBe("admin");
});

test("a name and a user id can be turned back into the principal that they stand for", () => {
  for (const principal of PRINCIPALS) {
    expect(principalNamed(principalName(principal))).toEqual(principal);
    expect(principalOf(userIdOf(principal))).toEqual(principal);
  }
});
