import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { type Callers, createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import { ADMIN, userPrincipal } from "../../src/principal.ts";
import type { TokenOwner, UserStore } from "../../src/store/store.ts";
import { createFakeClock } from "../support/clock.ts";
import { identify } from "../support/identify.ts";
import { failureOf, openTestStore } from "../support/store.ts";

const UNLIMITED = {
  ...{ models: null, requestsPerMinute: null, tokensPerDay: null, maxParallel: null },
  ...{ budgetDayMicros: null, budgetMonthMicros: null, priority: null, agentTags: null },
};
const ADMIN_CALLER = { principal: ADMIN, allowance: null };
const ANN = { principal: userPrincipal("ann"), tokenHash: hashSecret("ann-token"), allowance: UNLIMITED };

const stored = (id: string, token: string) => ({
  ...{ id, tokenHash: hashSecret(token) },
  sealedToken: Buffer.of(),
});

/** Ann's token is "ann-token", the admin key "admin-key". `lookUps` counts look-ups in the store. */
async function scene(wrap: (users: UserStore) => Partial<UserStore> = () => ({})) {
  const clock = createFakeClock();
  const { users } = openTestStore({ now: clock.now });
  await users.add([stored("ann", "ann-token")]);
  const counted = { lookUps: 0 };
  const watched: UserStore = {
    ...users,
    findByTokenHash(hash) {
      counted.lookUps++;
      return users.findByTokenHash(hash);
    },
    ...wrap(users),
  };
  const callers = createCallers({ adminKey: createSecret("admin-key"), users: watched, now: clock.now });
  return { callers, clock, users, counted };
}

async function codeOf(run: () => unknown): Promise<ErrorCode> {
  const error = await failureOf(run);
  expect(error).toBeInstanceOf(AppError);
  const { code, message, detail, hint, cause } = error as AppError;
  expect(`${message} ${detail} ${hint} ${cause}`).not.toMatch(/ann-token|admin-key/);
  return code;
}

describe("an identified caller", () => {
  for (const [what, headers, caller] of [
    ["a bare token", { authorization: "ann-token" }, ANN],
    ["Bearer", { authorization: "Bearer ann-token" }, ANN],
    ["Bearer in any case and with more white space", { authorization: "bEARER \t ann-token" }, ANN],
    ["x-api-key", { "x-api-key": "ann-token" }, ANN],
    ["api-key", { "api-key": "ann-token" }, ANN],
    ["the same token in two headers", { authorization: "Bearer ann-token", "x-api-key": "ann-token" }, ANN],
    ["the bare admin key", { authorization: "admin-key" }, ADMIN_CALLER],
    ["the admin key after Bearer", { authorization: "Bearer admin-key" }, ADMIN_CALLER],
    ["the admin key in x-api-key", { "x-api-key": "admin-key" }, ADMIN_CALLER],
  ] as const) {
    test(`a caller is identified by ${what}`, async () => {
      const { callers } = await scene();
      expect(await identify(callers, headers)).toEqual(caller);
    });
  }
});

describe("a refused caller", () => {
  for (const [what, headers, code] of [
    ["without any key", { "content-type": "application/json" }, "key_missing"],
    ["with an empty header", { authorization: "" }, "key_unknown"],
    ["with an empty x-api-key", { "x-api-key": "" }, "key_unknown"],
    ["with Bearer and no token", { authorization: "Bearer " }, "key_unknown"],
    ["with an unknown token", { authorization: "bob-token" }, "key_unknown"],
    ["with a token in upper case", { authorization: "ANN-TOKEN" }, "key_unknown"],
    ["with the hash of a token", { authorization: hashSecret("ann-token") }, "key_unknown"],
    ["with another scheme", { authorization: "Basic ann-token" }, "key_unknown"],
    ["with Bearer twice", { authorization: "Bearer Bearer ann-token" }, "key_unknown"],
    ["with a user id", { authorization: "ann" }, "key_unknown"],
  ] as const) {
    test(`a caller is refused ${what}`, async () => {
      const { callers } = await scene();
      expect(await codeOf(() => identify(callers, headers))).toBe(code);
    });
  }

  test("a caller is refused with a key of more than 4 KB, even a right one, without a look-up in the store", async () => {
    const { users } = openTestStore();
    const long = "k".repeat(4_097);
    await users.add([stored("ann", long)]);
    const callers = createCallers({ adminKey: createSecret(long), users });
    expect(await codeOf(() => identify(callers, { authorization: long }))).toBe("key_unknown");
    expect(await codeOf(() => callers.requireAdmin(new Headers(), long))).toBe("admin_key_wrong");
  });

  test("a caller is refused with verify_failed and its cause when the store fails", async () => {
    const { callers } = await scene(() => ({
      findByTokenHash: () => Promise.reject(new Error("disk gone")),
    }));
    const error = (await failureOf(() => identify(callers, { authorization: "ann-token" }))) as AppError;
    expect(error.code).toBe("verify_failed");
    expect(String(error.cause)).toBe("Error: disk gone");
    expect(await identify(callers, { authorization: "admin-key" })).toEqual(ADMIN_CALLER);
  });
});

describe("the cache", () => {
  const headers = { authorization: "ann-token" };

  test("the cache saves look-ups for one second", async () => {
    const { callers, clock, counted } = await scene();
    for (let count = 0; count < 5; count++) await identify(callers, headers);
    clock.advance(999);
    await identify(callers, headers);
    expect(counted.lookUps).toBe(1);
    clock.advance(1);
    await identify(callers, headers);
    expect(counted.lookUps).toBe(2);
  });

  test("a token deleted by another process is accepted for less than a second", async () => {
    const { callers, clock, users } = await scene();
    await identify(callers, headers);
    await users.delete("ann");
    clock.advance(1_000);
    expect(await codeOf(() => identify(callers, headers))).toBe("key_unknown");
  });

  test("a deleted token is refused at once after forget", async () => {
    const { callers, users } = await scene();
    await identify(callers, headers);
    await users.delete("ann");
    callers.forget("ann");
    expect(await codeOf(() => identify(callers, headers))).toBe("key_unknown");
  });

  test("the cache does not keep an owner whose look-up began before forget", async () => {
    const found = Promise.withResolvers<TokenOwner | undefined>();
    let slow = true;
    const { callers, users } = await scene((users) => ({
      findByTokenHash: (hash) => (slow ? found.promise : users.findByTokenHash(hash)),
    }));
    const ann = await users.findByTokenHash(hashSecret("ann-token"));
    const early = identify(callers, headers);
    slow = false;
    await users.delete("ann");
    callers.forget("ann");
    found.resolve(ann);
    expect(await early).toEqual(ANN);
    expect(await codeOf(() => identify(callers, headers))).toBe("key_unknown");
  });

  test("unknown tokens are not cached, so a new user is known at once", async () => {
    const { callers, users } = await scene();
    expect(await codeOf(() => identify(callers, { authorization: "bob-token" }))).toBe("key_unknown");
    await users.add([stored("bob", "bob-token")]);
    expect(await identify(callers, { authorization: "bob-token" })).toEqual({
      ...ANN,
      principal: userPrincipal("bob"),
      tokenHash: hashSecret("bob-token"),
    });
  });

  test("the cache keeps at least ten thousand tokens, and at most twice as many", async () => {
    const { users } = openTestStore();
    await users.add(Array.from({ length: 20_000 }, (_, index) => stored(`${index}`, `token ${index}`)));
    let lookUps = 0;
    const findByTokenHash = (hash: string) => {
      lookUps++;
      return users.findByTokenHash(hash);
    };
    const bounded = createCallers({
      adminKey: createSecret("k"),
      users: { ...users, findByTokenHash },
      now: () => 0,
    });
    const ask = (index: number) => identify(bounded, { authorization: `token ${index}` });
    for (let index = 0; index < 19_999; index++) await ask(index);
    await ask(0);
    expect(lookUps).toBe(19_999);
    await ask(19_999);
    expect(lookUps).toBe(20_000);
    await ask(10_000);
    expect(lookUps).toBe(20_000);
    await ask(0);
    expect(lookUps).toBe(20_001);
  });
});

describe("a user without access", () => {
  const headers = { authorization: "ann-token" };
  const refusal = async (callers: Callers) => {
    const error = await failureOf(() => identify(callers, headers));
    const { code, message, logAs } = error as AppError;
    expect([code, message]).toEqual(["key_unknown", "Invalid API key"]);
    return logAs;
  };

  test("a disabled or expired user is refused like an unknown one, and the log has the reason", async () => {
    const { callers, users, clock } = await scene();
    await users.change("ann", { disabledAt: clock.now() });
    expect(await refusal(callers)).toBe("key_disabled");
    await users.change("ann", { disabledAt: null, expiresAt: clock.now() });
    callers.forget("ann");
    expect(await refusal(callers)).toBe("key_expired");
    await users.change("ann", { expiresAt: null });
    callers.forget("ann");
    expect(await identify(callers, headers)).toEqual(ANN);
  });

  test("a user is refused from the millisecond in which they expire, even if they are cached", async () => {
    const { callers, users, clock } = await scene();
    await users.change("ann", { expiresAt: clock.now() + 500 });
    await identify(callers, headers);
    clock.advance(499);
    await identify(callers, headers);
    clock.advance(1);
    expect(await refusal(callers)).toBe("key_expired");
  });

  test("a replaced token is refused after its grace period, and the new token is accepted", async () => {
    const { callers, users, clock } = await scene();
    await users.rotate("ann", stored("ann", "new-token"), clock.now() + 500);
    await identify(callers, headers);
    clock.advance(500);
    expect(await refusal(callers)).toBe("key_expired");
    expect(await identify(callers, { authorization: "new-token" })).toEqual({
      ...ANN,
      tokenHash: hashSecret("new-token"),
    });
  });

  test("a user disabled by another process is accepted for less than a second", async () => {
    const { callers, users, clock } = await scene();
    await identify(callers, headers);
    await users.change("ann", { disabledAt: clock.now() });
    clock.advance(1_000);
    expect(await refusal(callers)).toBe("key_disabled");
  });
});

test("a caller is returned with their allowance", async () => {
  const { callers, users } = await scene();
  const allowance = { ...UNLIMITED, models: ["llama"], maxParallel: 3, priority: "low" as const };
  await users.change("ann", { ...allowance, name: "Ann" });
  expect(await identify(callers, { authorization: "ann-token" })).toEqual({ ...ANN, allowance });
});

describe("the admin routes", () => {
  for (const [what, headers, given] of [
    ["with the key in the body or query", {}, "admin-key"],
    ["with the key in Authorization", { authorization: "Bearer admin-key" }, undefined],
    ["with the bare key in Authorization", { authorization: "admin-key" }, undefined],
    ["with the key in x-api-key", { "x-api-key": "admin-key" }, undefined],
    ["with the key in api-key", { "api-key": "admin-key" }, undefined],
    ["with the key beside another", { authorization: "stale", "x-api-key": "admin-key" }, undefined],
    ["with the same key everywhere", { authorization: "admin-key", "x-api-key": "admin-key" }, "admin-key"],
  ] as const) {
    test(`the admin is let in ${what}`, async () => {
      const { callers } = await scene();
      await callers.requireAdmin(new Headers(headers), given);
    });
  }

  for (const [what, headers, given] of [
    ["without a key", {}, undefined],
    ["with an empty key", {}, ""],
    ["with a wrong key", {}, "wrong"],
    ["with a user's token", { authorization: "ann-token" }, undefined],
    ["with Bearer in the body, which has no scheme", {}, "Bearer admin-key"],
    ["with the right key in a header and a wrong one in the body", { authorization: "admin-key" }, "wrong"],
    ["with a wrong key in a header and the right one in the body", { authorization: "wrong" }, "admin-key"],
    ["with the right key in the body and an empty x-api-key", { "x-api-key": "" }, "admin-key"],
  ] as const) {
    test(`the admin is not let in ${what}`, async () => {
      const { callers } = await scene();
      expect(await codeOf(() => callers.requireAdmin(new Headers(headers), given))).toBe("admin_key_wrong");
    });
  }
});

test("keys in any script are recognized over HTTP", async () => {
  const { users } = openTestStore();
  const callers = createCallers({ adminKey: createSecret("schlüssel-🔑"), users });
  const fetch = async ({ headers }: Request) =>
    Response.json(await callers.identify(headers).catch((error: AppError) => ({ code: error.code })));
  await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(server.port ?? 0, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: schlüssel-🔑\r\nConnection: close\r\n\r\n");
  });
  expect(answer).toEndWith(JSON.stringify(ADMIN_CALLER));
});
