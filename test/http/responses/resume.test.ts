import { expect, test } from "bun:test";
import { readEvents, sequenceOf, withoutChance } from "../../support/event-reader.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { type AskFrame, chunk, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

const PIECES = Array.from({ length: 12 }, (_, index) => `piece ${index} `);

/** The deltas of a chat completion for a translated response, and those of an upstream with responses of its own. */
const CHAT_DELTAS = [
  ...PIECES.map((content) => ({ data: chunk(content) })),
  { data: JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) },
  { data: "[DONE]" },
];

function nativeDeltas(uuid: string) {
  const id = `resp_${uuid}`;
  const output = [{ type: "message", id: `msg_${uuid}`, role: "assistant", content: [] }];
  const events = [
    { type: "response.created", response: { id, status: "in_progress", output: [] } },
    ...PIECES.map((delta) => ({ type: "response.output_text.delta", delta })),
    { type: "response.completed", response: { id, status: "completed", output } },
  ];
  return events.map((event, sequence_number) => ({
    event: event.type,
    data: JSON.stringify({ sequence_number, ...event }),
  }));
}

/** Answers each ask with the deltas, the rest of them only after `goOn`. */
function pacedAgent(isNative: boolean) {
  let first = Number.POSITIVE_INFINITY;
  let going = Promise.withResolvers<void>();
  const onAsk = async ({ ask }: AskFrame, agent: V2Agent) => {
    const deltas = isNative ? nativeDeltas(crypto.randomUUID()) : CHAT_DELTAS;
    agent.say({ type: "accept", ask });
    const { promise } = going;
    for (const [index, delta] of deltas.entries()) {
      if (index === first) await promise;
      agent.say({ type: "delta", ask, ...delta });
    }
    agent.say({ type: "done", ask, status: 200 });
  };
  return {
    onAsk,
    /** The next ask gets this many deltas at once. */
    pace(count: number) {
      first = count;
      going = Promise.withResolvers();
    },
    goOn: () => going.resolve(),
  };
}

const CUTS = 500;

const seed = chooseSeed();

test.each([false, true])(
  `a stream that was cut anywhere goes on exactly after the last event that came (seed ${seed}, native: %p)`,
  async (isNative) => {
    const random = createRandom(seed);
    const paced = pacedAgent(isNative);
    const endpoints = [isNative ? "responses" : "chat/completions"];
    const scene = await startModelScene({ hello: { ...V2_HELLO, endpoints }, onAsk: paced.onAsk });
    const body = { model: "m", input: "q", stream: true };
    const whole = withoutChance(await readEvents(await scene.post("responses", body)));
    expect(whole.length).toBeGreaterThan(PIECES.length);
    for (let count = 0; count < CUTS; count++) {
      // The first delta announces the response, whose id is needed.
      const first = 1 + random.below(PIECES.length + 1);
      paced.pace(first);
      const connection = new AbortController();
      const response = await scene.post("responses", body, { signal: connection.signal });
      const wanted = 1 + random.below(isNative ? first : 4 + Math.min(first, PIECES.length));
      const before = await readEvents(response, wanted, () => connection.abort());
      const { id } = JSON.parse(before[0]?.data ?? "").response;
      // The answer goes on before the caller is back, or after it.
      if (random.below(2) === 0) paced.goOn();
      const last = before.at(-1);
      const after = last ? sequenceOf(last) : -1;
      const resumed = scene.get(`responses/${id}?stream=true&starting_after=${after}`);
      setImmediate(paced.goOn);
      const rest = await readEvents(await resumed);
      expect(withoutChance([...before, ...rest])).toEqual(whole);
    }
  },
);

test.each([
  [
    { type: "error", code: "overloaded", message: "Too busy." },
    { code: "overloaded", message: "Too busy." },
  ],
  [
    { type: "error" },
    { code: "server_error", message: "The stream ended before the response was complete." },
  ],
])(
  "a response whose stream its upstream ended with %j can be read as failed, and resumed",
  async (last, error) => {
    const { post, get } = await startModelScene({
      hello: { ...V2_HELLO, endpoints: ["responses"] },
      onAsk: ({ ask }, agent) => {
        agent.say({ type: "accept", ask });
        const events = [...nativeDeltas("x").slice(0, 5), { event: "error", data: JSON.stringify(last) }];
        for (const event of events) agent.say({ type: "delta", ask, ...event });
        agent.say({ type: "done", ask, status: 200 });
      },
    });
    const whole = await readEvents(await post("responses", { model: "m", input: "q", stream: true }));
    expect(whole.at(-1)).toMatchObject({ event: "error" });
    expect(await (await get("responses/resp_x")).json()).toMatchObject({
      id: "resp_x",
      status: "failed",
      error,
    });
    const resumed = await get("responses/resp_x?stream=true&starting_after=2");
    expect(await readEvents(resumed)).toEqual(whole.slice(3));
    const follow = await post("responses", { model: "m", input: "q", previous_response_id: "resp_x" });
    expect(await follow.text()).toContain("has failed");
  },
);
