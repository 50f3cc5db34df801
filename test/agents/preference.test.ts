import { describe, expect, test } from "bun:test";
import { preferenceOf } from "../../src/agents/preference.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { DEFAULT_PREFERENCE } from "../../src/relay/types.ts";
import { agentKeyOf } from "../support/agent-key.ts";
import { firefoxAgent } from "../support/agents.ts";
import { V2_HELLO } from "../support/v2-agent.ts";
import { startWithKey } from "./keyed-server.ts";
import { connect, HELLO, register } from "./v2-scene.ts";

const UNSET = { priority: null, weight: null, tags: null, ownerId: null };
const MAIN = { ...UNSET, id: null };
const OWN = { ...UNSET, id: "k" };

describe("the preference of an agent", () => {
  test("an agent that claims nothing has the default preference, with any key and without one", () => {
    for (const key of [undefined, MAIN, OWN]) expect(preferenceOf({}, key)).toEqual(DEFAULT_PREFERENCE);
  });

  test("the numbers of a key come before those that the agent claims, also when they are 0", () => {
    const claim = { priority: 5, weight: 2 };
    expect(preferenceOf(claim, undefined)).toMatchObject(claim);
    expect(preferenceOf(claim, MAIN)).toMatchObject(claim);
    expect(preferenceOf(claim, OWN)).toMatchObject(claim);
    expect(preferenceOf(claim, { ...OWN, priority: 0 })).toMatchObject({ priority: 0, weight: 2 });
    expect(preferenceOf(claim, { ...OWN, weight: 0.5 })).toMatchObject({ priority: 5, weight: 0.5 });
    expect(preferenceOf({}, { ...OWN, priority: -3, weight: 7 })).toMatchObject({ priority: -3, weight: 7 });
  });

  test.each<[string, string[] | undefined, Parameters<typeof preferenceOf>[1], string[]]>([
    ["without a key", ["home"], undefined, []],
    ["with the main key", ["home", "gpu", "home"], MAIN, ["home", "gpu"]],
    ["with the main key, of an agent that claims none", undefined, MAIN, []],
    ["with a key that allows none", ["home"], OWN, []],
    ["with a key that allows some", ["gpu", "office"], { ...OWN, tags: ["home", "gpu"] }, ["gpu"]],
    [
      "with a key, of an agent that claims none",
      undefined,
      { ...OWN, tags: ["home", "gpu"] },
      ["home", "gpu"],
    ],
    ["with a key, of an agent with an empty list", [], { ...OWN, tags: ["home"] }, ["home"]],
    ["with a key that allows none of those claimed", ["office"], { ...OWN, tags: ["home"] }, []],
  ])("the tags that count %s", (_, tags, key, counting) => {
    expect(preferenceOf({ tags }, key).tags).toEqual(counting);
  });

  test("the owner of an agent is the owner of its key", () => {
    expect(preferenceOf({}, { ...OWN, ownerId: "ann" }).ownerId).toBe("ann");
    expect(preferenceOf({}, OWN).ownerId).toBeUndefined();
  });
});

describe("what a v2 agent claims", () => {
  const MAIN_KEY = agentKeyOf({});
  const preferenceIn = ({ relay }: ReturnType<typeof connect>) => [...relay.agents()][0]?.preference;

  test("the hello of an older agent, which claims nothing, is valid", () => {
    expect(preferenceIn(register())).toEqual(DEFAULT_PREFERENCE);
  });

  test("the claims of the hello count, and each field of an update replaces one", () => {
    const agent = connect(undefined, { key: MAIN_KEY });
    agent.say({ ...HELLO, priority: 10, weight: 2.5, tags: ["home", "gpu"] });
    expect(preferenceIn(agent)).toMatchObject({ priority: 10, weight: 2.5, tags: ["home", "gpu"] });
    agent.say({ type: "update", priority: -1000 });
    expect(preferenceIn(agent)).toMatchObject({ priority: -1000, weight: 2.5, tags: ["home", "gpu"] });
    agent.say({ type: "update", weight: 1000, tags: [] });
    expect(preferenceIn(agent)).toMatchObject({ priority: -1000, weight: 1000, tags: [] });
    agent.say({ type: "update", slots: 4 });
    expect(preferenceIn(agent)).toMatchObject({ priority: -1000, weight: 1000, tags: [] });
    expect(agent.closed).toEqual([]);
  });

  test.each<[object, string]>([
    [{ priority: 1001 }, "priority: expected at most 1000"],
    [{ priority: 0.5 }, "priority: "],
    [{ priority: null }, "priority: expected a number, not null"],
    [{ weight: 0 }, "weight: "],
    [{ weight: 1001 }, "weight: expected at most 1000"],
    [{ tags: "home" }, "tags: expected a list, not a text"],
    [{ tags: ["Home"] }, "tags[0]: must have 1 to 64 lower-case letters"],
    [{ tags: ["a b"] }, "tags[0]: must"],
    [{ tags: ["a".repeat(65)] }, "tags[0]: must"],
    [{ tags: Array.from({ length: 33 }, (_, index) => `t${index}`) }, "tags: expected at most 32"],
  ])("the claim %j is refused in a hello and in an update, with the field at fault: %s", (claim, fault) => {
    const early = connect();
    early.say({ ...HELLO, ...claim });
    expect(early.closed).toEqual([
      { code: CLOSE.hello_invalid.code, reason: expect.stringContaining(`invalid hello: ${fault}`) },
    ]);
    const late = register();
    late.say({ type: "update", ...claim });
    expect(late.closed).toEqual([
      { code: CLOSE.frame_invalid.code, reason: expect.stringContaining(`invalid frame: update.${fault}`) },
    ]);
  });
});

test("a changed key changes the preference and the shown name of a connected agent, and its claims still count", () => {
  const key = agentKeyOf({ id: "k", name: "box", tags: ["home"] });
  const agent = connect(undefined, { key });
  agent.say({ ...HELLO, priority: 3, tags: ["home", "gpu"] });
  const [connected] = agent.relay.agents();
  expect(connected?.preference).toMatchObject({ priority: 3, tags: ["home"] });
  agent.connection.keyChanged({ ...key, priority: 7, tags: ["home", "gpu"], showsName: true });
  expect(connected?.preference).toMatchObject({ priority: 7, tags: ["home", "gpu"] });
  expect(connected?.profile.key).toMatchObject({ id: "k", name: "box", showsName: true });
  agent.say({ type: "update", priority: 1, tags: ["gpu"] });
  expect(connected?.preference).toMatchObject({ priority: 7, tags: ["gpu"] });
});

test("a key that the administrator changes changes its connected agents at once, those of v1 too, and no others", async () => {
  const { server, key, addKey, connect, call, agents } = await startWithKey();
  const { key: otherKey } = await addKey("other");
  const hello = { ...V2_HELLO, priority: 3, tags: ["home", "attic"] };
  const v2 = await connect({ hello });
  const v1 = await firefoxAgent(`${server.url}/agents/${key.key}`);
  const other = await connect({ hello, key: otherKey });
  const listed = async () => {
    const entries = (await agents()).map(({ id, ...rest }) => [id, [rest.priority, rest.weight, rest.tags]]);
    return Object.fromEntries(entries);
  };
  const { agent: v2Id } = v2.ready;
  const { agent: otherId } = other.ready;
  expect(await listed()).toEqual({ [v2Id]: [3, 1, []], [v1.id]: [0, 1, []], [otherId]: [3, 1, []] });
  const change = (changes: object) => call("PATCH", `/admin/agents/keys/${key.id}`, changes);
  expect((await change({ weight: 2, tags: ["home", "gpu"] })).status).toBe(200);
  expect(await listed()).toEqual({
    [v2Id]: [3, 2, ["home"]],
    [v1.id]: [0, 2, ["home", "gpu"]],
    [otherId]: [3, 1, []],
  });
  await change({ priority: -7, weight: null, tags: null });
  expect(await listed()).toEqual({ [v2Id]: [-7, 1, []], [v1.id]: [-7, 1, []], [otherId]: [3, 1, []] });
});
