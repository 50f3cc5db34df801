import { expect, test } from "bun:test";
import { AffinityNotes } from "../../../src/cluster/agents/affinity-notes.ts";
import { userPrincipal } from "../../../src/principal.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { joinAgent } from "../../support/transport.ts";
import { createExchangeScene } from "../exchange/exchange-scene.ts";

const CONVERSATIONS = 12;
const TURNS = 20;

const seed = chooseSeed();
const random = createRandom(seed);

function setUp(isShared: boolean) {
  const { clock, add, pass } = createExchangeScene({ random: random.next });
  const nodes = ["a", "b", "c"].map((name) => {
    const node = add(name);
    const { relay, link } = node;
    const soon = (run: () => void) => void clock.after(0, run);
    const notes = new AffinityNotes({ book: () => relay.affinity, link, soon });
    if (isShared) {
      link.add(notes);
      relay.affinity.onNote = (...note) => notes.tell(...note);
    }
    for (let index = 0; index < 4; index++) {
      const agent = joinAgent(relay, `${name}-${index}`, {
        ...{ protocol: "v2", slots: 2 },
        onAsk: ({ slot }) => void clock.after(20 + random.below(40), () => agent.answer({ slot })),
      });
    }
    return node;
  });
  return { clock, nodes, pass };
}

/** Plays conversations whose turns come to any node. Returns the share of the later turns that went to the agent before. */
async function play(isShared: boolean): Promise<number> {
  const { clock, nodes, pass } = setUp(isShared);
  await pass(50);
  let [stayed, later] = [0, 0];
  const converse = async (conversation: number) => {
    let last: string | undefined;
    for (let turn = 0; turn < TURNS; turn++) {
      const { relay } = random.pick(nodes);
      const key = (of: number) => `${conversation} ${of}`;
      const request = { endpoint: "chat/completions", stream: true, body: () => key(turn) } as const;
      const { agent } = await relay.ask(
        {
          principal: userPrincipal(`user-${conversation % 3}`),
          origin: { requestId: key(turn), surface: "test" },
          work: { model: "m", requests: [request] },
          affinity: { known: turn === 0 ? [] : [key(turn - 1)], kept: [key(turn)] },
        },
        new AbortController().signal,
      );
      if (turn > 0) later++;
      if (agent === last) stayed++;
      last = agent;
      await new Promise<void>((resolve) => void clock.after(5 + random.below(30), resolve));
    }
  };
  let isDone = false;
  const all = Promise.all(Array.from({ length: CONVERSATIONS }, (_, index) => converse(index))).then(() => {
    isDone = true;
  });
  while (!isDone) await pass(10);
  await all;
  expect(later).toBe(CONVERSATIONS * (TURNS - 1));
  return stayed / later;
}

test(`the turns of conversations at any of three nodes stay with their agents (seed ${seed})`, async () => {
  const [shared, apart] = [await play(true), await play(false)];
  expect(shared).toBeGreaterThan(0.9);
  expect(apart).toBeLessThan(0.6);
});
