import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { startModelScene } from "../../support/model-scene.ts";
import { streamPieces } from "../../support/v2-agent.ts";

test("an answer that cannot be added to its conversation arrives, and its loss is logged", async () => {
  const { server, post, get } = await startModelScene(
    { onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["x"]) },
    ["--responses-days", "7"],
  );
  const { id } = (await (await post("conversations", {})).json()) as { id: string };
  const database = new Database(join(server.data, "server.db"));
  database.run(
    "CREATE TRIGGER full BEFORE INSERT ON response_objects BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
  );
  const answer = await post("responses", { model: "m", input: "q", stream: true, conversation: id });
  expect(await answer.text()).toContain("response.completed");
  const lost = server.logged().match(/.*"turn_lost".*/g) ?? [];
  expect(lost).toHaveLength(1);
  expect(JSON.parse(lost[0] ?? "")).toMatchObject({ level: "error", conversation: id, user: "admin" });
  database.run("DROP TRIGGER full");
  database.close();
  expect(await (await get(`conversations/${id}/items`)).json()).toMatchObject({ data: [] });
});
