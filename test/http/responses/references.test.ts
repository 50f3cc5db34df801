import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { type AskFrame, streamPieces, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

type Json = Record<string, unknown>;

const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Json;
const NATIVE = { ...V2_HELLO, endpoints: ["responses"] };

/** A scene whose agent answers "x", in the given way. `bodies` has what its upstream gets. */
async function scene(hello?: typeof NATIVE) {
  const bodies: Json[] = [];
  const onAsk = ({ ask, body }: AskFrame, agent: V2Agent) => {
    bodies.push(JSON.parse(body));
    if (!hello) return streamPieces(agent, ask, ["x"]);
    const message = { type: "message", id: `msg_${bodies.length}`, role: "assistant", content: "x" };
    const response = {
      ...{ id: `resp_${bodies.length}`, object: "response", status: "completed", output: [message] },
    };
    agent.say({ type: "accept", ask });
    agent.say({ type: "done", ask, status: 200, body: JSON.stringify(response) });
  };
  const { post } = await startModelScene({ ...(hello && { hello }), onAsk });
  const ask = (input: unknown, stream = false) => post("responses", { model: "m", input, stream });
  return { ask, bodies };
}

const user = (content: string) => ({ role: "user", content });

describe.each([{}, { type: null }, { type: "item_reference" }])(
  "a reference with %j beside its id, as OpenAI's API takes it",
  (type) => {
    test("becomes the item for an upstream with chat completions only", async () => {
      const { ask, bodies } = await scene();
      const text = await (await ask("q", true)).text();
      const id = /"id":"(msg_[^"]+)"/.exec(text)?.[1];
      expect((await ask([user("q"), { id, ...type }, user("more")], true)).status).toBe(200);
      expect(bodies.at(-1)?.["messages"]).toEqual([
        user("q"),
        { role: "assistant", content: "x" },
        user("more"),
      ]);
    });

    test("becomes the item for an upstream with responses of its own, and stays if it is not known", async () => {
      const { ask, bodies } = await scene(NATIVE);
      const { output } = await jsonOf(ask("q"));
      const [item] = output as [Json];
      await ask([user("q"), { id: item["id"], ...type }, user("more")]);
      expect(bodies.at(-1)?.["input"]).toEqual([user("q"), item, user("more")]);
      const unknown = [{ id: "msg_x", ...type }, user("more")];
      await ask(unknown);
      expect(bodies.at(-1)?.["input"]).toEqual(unknown);
    });
  },
);

test("a message without a type but with an id is not a reference", async () => {
  const { ask, bodies } = await scene();
  await ask([{ id: "msg_1", ...user("q") }], true);
  expect(bodies.at(-1)?.["messages"]).toEqual([user("q")]);
});
