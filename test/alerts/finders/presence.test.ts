import { expect, test } from "bun:test";
import { createPresence } from "../../../src/alerts/finders/presence.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/durations.ts";

const START = 1_700_000_000_000;
const GPU = { id: "gpu", name: "gpu box" };

/** The presence with a clock that `pass` moves. */
function scene() {
  const presence = createPresence();
  let now = START;
  return {
    pass: (ms: number) => {
      now += ms;
    },
    join: (agent = GPU) => presence.joined(agent, now),
    leave: (reason?: Parameters<typeof presence.left>[1], agent = GPU) => presence.left(agent, reason, now),
    find: (elsewhere: readonly string[] = []) =>
      presence.find((id) => elsewhere.includes(id), now).map(({ subject }) => subject),
    presence,
    now: () => now,
  };
}

test("an agent that was here for long and left is missed after a quarter of an hour, until it is back", () => {
  const { presence, pass, join, leave, find, now } = scene();
  join();
  pass(20 * HOUR_MS);
  leave();
  const leftAt = now();
  pass(14 * MINUTE_MS);
  expect(find()).toEqual([]);
  pass(MINUTE_MS);
  expect(presence.find(() => false, now())).toEqual([
    {
      ...{ code: "agent_missing", subject: "gpu", severity: "warning", since: leftAt },
      details: { agents: [GPU] },
    },
  ]);
  expect(find(["gpu"]), "at another node").toEqual([]);
  join();
  expect(find()).toEqual([]);
});

test("an agent that stays away for three days counts as removed", () => {
  const { pass, join, leave, find } = scene();
  join();
  pass(20 * HOUR_MS);
  leave();
  pass(71 * HOUR_MS);
  expect(find()).toEqual(["gpu"]);
  pass(2 * HOUR_MS);
  expect(find()).toEqual([]);
  // It is a newcomer then.
  join();
  pass(HOUR_MS);
  leave();
  pass(HOUR_MS);
  expect(find()).toEqual([]);
});

test("a laptop that is closed every evening is never missed", () => {
  const { pass, join, leave, find } = scene();
  for (let day = 0; day < 30; day++) {
    join();
    pass(10 * HOUR_MS);
    leave();
    pass(14 * HOUR_MS - 1);
    expect([day, find()]).toEqual([day, []]);
  }
});

test("an agent that reconnects now and then is as regular as one that never does", () => {
  const { pass, join, leave, find } = scene();
  join();
  for (let time = 0; time < 40; time++) {
    pass(HOUR_MS);
    // Half of the connections are replaced before they are lost.
    if (time % 2 === 0) leave();
    else pass(MINUTE_MS);
    join();
    if (time % 2 === 1) leave("replaced");
  }
  leave();
  pass(HOUR_MS);
  expect(find()).toEqual(["gpu"]);
});

test("an agent that was disconnected on purpose is not missed", () => {
  for (const reason of ["disconnected", "key_revoked"] as const) {
    const { pass, join, leave, find } = scene();
    join();
    pass(20 * HOUR_MS);
    leave(reason);
    pass(HOUR_MS);
    expect([reason, find()]).toEqual([reason, []]);
  }
});
