import { expect } from "bun:test";
import type { Scene, User } from "./scene.ts";
import { HANG_MS } from "./until.ts";
import { connectV2Agent, messagesOf, streamPieces } from "./v2-agent.ts";

const ASKERS = 4;
const ADDERS = 2;

const MODEL_AGENT = {
  type: "hello",
  ...{ name: "model", version: "1", slots: 32, models: [{ id: "m" }], endpoints: ["chat/completions"] },
};

/** Connects an agent that answers with the number of messages and the text of the last one. */
export const connectModel = (scene: Scene) =>
  connectV2Agent(scene.url, {
    key: scene.agentKey,
    hello: MODEL_AGENT,
    onAsk(frame, agent) {
      const messages = messagesOf(frame);
      streamPieces(agent, frame.ask, [`${messages.length}: `, messages.at(-1)?.content ?? ""]);
    },
  });

/** Sends an ask of a user to that agent. */
export const askModel = (scene: Scene, { token }: User, body: object) =>
  scene.ask({ model: "m", ...body }, { key: token, signal: AbortSignal.timeout(HANG_MS) });

/** Adds users and asks until it is stopped. The test fails if one of these requests does. */
export function startLoad(scene: Scene) {
  const acknowledged: User[] = [];
  let asks = 0;
  let isStopped = false;
  const add = async () => {
    while (!isStopped) acknowledged.push(await scene.addUser());
  };
  const askOn = async (index: number) => {
    const user = await scene.addUser();
    while (!isStopped) {
      const { status, body } = await askModel(scene, user, { content: `asker ${index}` });
      expect([status, body.content]).toEqual([200, `1: asker ${index}`]);
      asks++;
    }
  };
  const work = [
    ...Array.from({ length: ADDERS }, add),
    ...Array.from({ length: ASKERS }, (_, n) => askOn(n)),
  ];
  return {
    acknowledged,
    asks: () => asks,
    async stop() {
      isStopped = true;
      await Promise.all(work);
    },
  };
}
