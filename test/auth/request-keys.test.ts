import { describe, expect, test } from "bun:test";
import { createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { ADMIN, userPrincipal } from "../../src/principal.ts";
import { failureOf, openTestStore } from "../support/store.ts";

/** Ann's token is "ann-token", Eve's "eve-token", and the admin key "admin-key". */
async function scene() {
  const { users } = openTestStore();
  const stored = (id: string) => ({ id, tokenHash: hashSecret(`${id}-token`), sealedToken: Buffer.of() });
  await users.add([stored("ann"), stored("eve")]);
  const callers = createCallers({ adminKey: createSecret("admin-key"), users });
  const identify = async (headers: Record<string, string>) =>
    (await callers.identify(new Headers(headers))).principal;
  return { callers, users, identify };
}

const ANN = userPrincipal("ann");

describe("several keys in the headers of one request", () => {
  test.each([
    ["a token beside a wrong key", { authorization: "Bearer stale", "x-api-key": "ann-token" }, ANN],
    ["a token before a wrong key", { authorization: "Bearer ann-token", "x-api-key": "stale" }, ANN],
    ["a token beside two wrong keys", { authorization: "1", "x-api-key": "2", "api-key": "ann-token" }, ANN],
    ["a token beside an empty header", { authorization: "ann-token", "x-api-key": "" }, ANN],
    ["a token beside an empty Bearer", { authorization: "Bearer ", "x-api-key": "ann-token" }, ANN],
    ["the admin key beside a wrong key", { authorization: "stale", "api-key": "admin-key" }, ADMIN],
  ] as const)("%s counts", async (_, headers, principal) => {
    const { identify } = await scene();
    expect(await identify(headers)).toEqual(principal);
  });

  test("a token beside an older one of the same user counts", async () => {
    const { identify, users } = await scene();
    await users.rotate(
      "ann",
      { tokenHash: hashSecret("new"), sealedToken: Buffer.of() } as never,
      Date.now() + 60_000,
    );
    expect(await identify({ authorization: "ann-token", "x-api-key": "new" })).toEqual(ANN);
  });

  test("tokens of two users are refused with an error that names the headers", async () => {
    const { identify } = await scene();
    const headers = { authorization: "ann-token", "api-key": "eve-token" };
    expect(await failureOf(() => identify(headers))).toMatchObject({
      code: "keys_differ",
      hint: "`Authorization` and `api-key` have different keys. Send one.",
    });
  });

  test("the error for several wrong keys names their headers, and each of them counts as a wrong key", async () => {
    const { callers } = await scene();
    const headers = new Headers({ authorization: "Bearer a", "x-api-key": "b", "api-key": "c" });
    const hint = "None of the keys in `Authorization`, `x-api-key`, and `api-key` is valid.";
    const told = { hint, wrongKeys: 3 };
    expect(await failureOf(() => callers.identify(headers))).toMatchObject({ code: "key_unknown", ...told });
    expect(await failureOf(() => callers.ownerOf(headers))).toMatchObject({ code: "key_unknown", ...told });
    const wrongAdmin = { code: "admin_key_wrong", ...told };
    const run = [
      () => callers.requireAdmin(headers, undefined),
      () => callers.requireAdminKey(headers, "hint"),
    ];
    for (const require of run) expect(await failureOf(async () => require())).toMatchObject(wrongAdmin);
    const oneKey = new Headers({ authorization: "a", "x-api-key": "a" });
    expect(await failureOf(() => callers.identify(oneKey))).toMatchObject({ wrongKeys: undefined });
  });

  test("several empty headers are a wrong key, and the log knows why a disabled user was refused", async () => {
    const { identify, users } = await scene();
    const empty = { authorization: "", "x-api-key": "" };
    expect(await failureOf(() => identify(empty))).toMatchObject({ code: "key_unknown" });
    await users.change("ann", { disabledAt: 1 });
    const headers = { authorization: "stale", "x-api-key": "ann-token" };
    expect(await failureOf(() => identify(headers))).toMatchObject({ logAs: "key_disabled", wrongKeys: 2 });
  });

  test("a user cannot try admin keys beside their own token, where they would not be counted", async () => {
    const { identify, callers } = await scene();
    for (const guess of ["wrong", "admin-key"])
      expect(await identify({ authorization: guess, "x-api-key": "ann-token" })).toEqual(ANN);
    const headers = new Headers({ authorization: "wrong", "x-api-key": "ann-token" });
    const refused = failureOf(async () => callers.requireAdmin(headers, undefined));
    expect(await refused).toMatchObject({ code: "admin_key_wrong", wrongKeys: 2 });
  });
});
