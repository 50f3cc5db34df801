import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

test("the list of models is the union of all offers, with owners and aliases, and has a route for each name", async () => {
  const models = [{ id: "z" }, { id: "org/a:7b", owned_by: "org" }];
  const { get } = await startModelScene({ hello: { ...V2_HELLO, models } }, [
    "--model-alias",
    "alias=z,lost=nothing",
  ]);
  const list = (await (await get("models")).json()) as {
    object: string;
    data: { id: string; created: number }[];
  };
  expect(list.object).toBe("list");
  expect(list.data.map(({ id }) => id)).toEqual(["org/a:7b", "z", "alias"]);
  expect(list.data[0]).toEqual({
    id: "org/a:7b",
    object: "model",
    created: expect.any(Number),
    owned_by: "org",
  } as never);
  for (const model of list.data) expect(await (await get(`models/${model.id}`)).json()).toEqual(model);
  expect(await (await get("models/org%2Fa%3A7b")).json()).toMatchObject({ id: "org/a:7b" });
  expect((await get("models/unknown")).status).toBe(404);
});
