import { expect, test } from "bun:test";
import { createAgentKeys } from "../../../src/auth/agent-keys.ts";
import { createAudit } from "../../../src/auth/audit.ts";
import { createPairings, pairingFields } from "../../../src/auth/pairing/pairings.ts";
import type { AppError } from "../../../src/errors.ts";
import { newUser } from "../../store/rows.ts";
import { createFakeClock } from "../../support/clock.ts";
import { failureOf, openTestStore } from "../../support/store.ts";

const TEN_MINUTES_MS = 600_000;

function scene() {
  const clock = createFakeClock();
  const store = openTestStore({ now: clock.now });
  const agentKeys = createAgentKeys({
    main: { matches: () => false },
    store: store.agentKeys,
    users: store.users,
  });
  const audit = createAudit({ audit: store.audit, now: clock.now });
  const pairings = createPairings({ store: store.pairings, agentKeys, now: clock.now });
  let made = 0;
  const make = async (name: string | null = null, fields = {}) => {
    const id = `id ${++made}`;
    return { id, ...(await pairings.make({ id, name, given: pairingFields(fields) })) };
  };
  const note = { actor: "agent", address: "192.0.2.1", requestId: "req_1" } as const;
  const redeem = (code: string, suggested?: string) => pairings.redeem(code, { suggested, audit, note });
  const refusal = async (run: () => unknown) => ((await failureOf(run)) as AppError).code;
  return { ...store, clock, agentKeys, pairings, make, redeem, refusal };
}

test("a code gives a key with what the administrator said, once, and the audit has neither", async () => {
  const { users, agentKeys, audit, make, redeem, refusal } = scene();
  await users.add([newUser("ann")]);
  const given = { models: ["m"], priority: 5, weight: 2, tags: ["home"], ownerId: "ann", showsName: true };
  const { id, code } = await make("gpu box", given);
  expect(await agentKeys.list()).toEqual([]);
  const { key, name } = await redeem(code.toLowerCase(), "another name");
  expect(name).toBe("gpu box");
  expect(await agentKeys.find(key)).toEqual({ id, name: "gpu box", ...given });
  expect(await refusal(() => redeem(code))).toBe("pairing_code_wrong");
  const rows = await audit.list({ limit: 9 });
  const row = {
    actor: "agent",
    action: "pairing.redeem",
    target: id,
    detail: { name },
    address: "192.0.2.1",
  };
  expect(rows).toMatchObject([row]);
  for (const secret of [code, code.replace("-", ""), key]) expect(JSON.stringify(rows)).not.toContain(secret);
});

test("a code works for less than ten minutes, and wrong, used and expired ones are refused alike", async () => {
  const { clock, make, redeem, agentKeys } = scene();
  const [used, timely, late] = [await make(), await make(), await make()];
  await redeem(used.code);
  clock.advance(TEN_MINUTES_MS - 1);
  await redeem(timely.code);
  clock.advance(1);
  const failures: unknown[] = [];
  for (const code of [late.code, used.code, "0000-0000", "no code"])
    failures.push(await failureOf(() => redeem(code)));
  expect(failures).toEqual(failures.map(() => failures[0]));
  expect(failures[0]).toMatchObject({ code: "pairing_code_wrong" });
  expect(await agentKeys.list()).toHaveLength(2);
});

test("if several redeem one code at once, one of them gets a key", async () => {
  const { make, redeem, agentKeys } = scene();
  const { code } = await make("box");
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => redeem(code)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of tries)
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "pairing_code_wrong" });
  expect(await agentKeys.list()).toMatchObject([{ name: "box" }]);
});

test("a key has the name that the agent suggests if there is no other, with a number if it is taken", async () => {
  const { make, redeem } = scene();
  const names = [];
  const long = "x".repeat(64);
  for (const suggested of ["desk", "desk", "desk", undefined, "main", long, long])
    names.push((await redeem((await make()).code, suggested)).name);
  const numbered = ["desk", "desk 2", "desk 3", "agent", "main 2", long, `${"x".repeat(62)} 2`];
  expect(names).toEqual(numbered);
  const [first, second] = [await make("box"), await make("box")];
  expect([await redeem(first.code), await redeem(second.code)]).toMatchObject([
    { name: "box" },
    { name: "box 2" },
  ]);
});

test("codes that are redeemed at once with one name all get keys", async () => {
  const { make, redeem } = scene();
  const codes = await Promise.all(Array.from({ length: 4 }, () => make("box")));
  const names = (await Promise.all(codes.map(({ code }) => redeem(code)))).map(({ name }) => name);
  expect(names.sort()).toEqual(["box", "box 2", "box 3", "box 4"]);
});

test("a code is not made for a name that is taken, or for an owner who does not exist", async () => {
  const { make, redeem, refusal, pairings } = scene();
  await redeem((await make("box")).code);
  expect(await refusal(() => make("box"))).toBe("agent_key_name_taken");
  expect(await refusal(() => make("main"))).toBe("agent_key_name_taken");
  expect(await refusal(() => make("b", { ownerId: "nobody" }))).toBe("user_unknown");
  expect(await pairings.list()).toEqual([]);
});

test("an owner who was deleted before a code is redeemed is left out", async () => {
  const { users, make, redeem, agentKeys } = scene();
  await users.add([newUser("ann")]);
  const { code } = await make("box", { ownerId: "ann", priority: 3 });
  await users.delete("ann");
  const { key } = await redeem(code);
  expect(await agentKeys.find(key)).toMatchObject({ ownerId: null, priority: 3 });
});

test("at most a hundred codes are open, until one is used, is cancelled or expires", async () => {
  const { clock, make, redeem, pairings, refusal } = scene();
  const made: Awaited<ReturnType<typeof make>>[] = [];
  for (let nth = 0; nth < 100; nth++) made.push(await make());
  expect(await refusal(() => make())).toBe("pairings_full");
  await redeem(made[0]?.code ?? "");
  await make();
  expect(await refusal(() => make())).toBe("pairings_full");
  expect(await pairings.cancel(made[1]?.id ?? "")).toBe(true);
  expect(await refusal(() => redeem(made[1]?.code ?? ""))).toBe("pairing_code_wrong");
  await make();
  clock.advance(TEN_MINUTES_MS);
  await make();
  expect(await pairings.list()).toHaveLength(1);
});
