import { expect, test } from "bun:test";
import type { Model } from "../../../src/protocol/agent-v2.ts";
import type { Hub } from "../../../src/relay/hub.ts";
import { offeredModels } from "../../../src/relay/offers/offered-models.ts";

/** Returns the one model that agents with these entries offer together. */
function offered(...entries: Omit<Model, "id">[]) {
  const agents = entries.map((entry) => ({
    hasTags: () => true,
    offer: { models: [{ id: "m", ...entry }] },
  }));
  const hub = { agents: new Map(agents.entries()), models: { since: () => 1 } };
  const [model] = offeredModels(hub as unknown as Pick<Hub, "agents" | "models">, []);
  return model;
}

test("the first agent that tells a detail counts, and each detail may be another's", () => {
  expect(offered({}, { family: "llama", size: 5 }, { family: "other", quantization: "Q4" })).toMatchObject({
    ...{ family: "llama", size: 5, quantization: "Q4" },
  });
});

test("a model can do what it can at every agent that tells it", () => {
  expect(
    offered(
      { capabilities: ["completion", "tools", "vision"] },
      {},
      { capabilities: ["tools", "completion"] },
    ),
  ).toMatchObject({ capabilities: ["completion", "tools"] });
  expect(offered({}, {})).not.toHaveProperty("capabilities");
});
