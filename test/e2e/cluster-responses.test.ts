import { expect, test } from "bun:test";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { addUser } from "../support/database-server.ts";
import { readEvents } from "../support/event-reader.ts";
import type { Executable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO, type V2Agent } from "../support/v2-agent.ts";

type Json = Record<string, unknown>;

describeWithCluster("stored responses in a cluster", () => {
  test("another node reads, resumes and continues a response that has ended, and says where a running one is", async () => {
    const [a, b] = (await startNodes(["a", "b"], ["--responses-days", "7"])) as [Executable, Executable];
    const { token } = await addUser(a);
    const headers = { authorization: `Bearer ${token}` };
    const get = (node: Executable, path: string) => fetch(`${node.url}/v1/${path}`, { headers });
    const post = (node: Executable, path: string, body: object) =>
      fetch(`${node.url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const jsonOf = async (response: Promise<Response>) => (await (await response).json()) as Json;
    let held: { ask: string; agent: V2Agent } | undefined;
    await connectV2Agent(a.url, {
      hello: V2_HELLO,
      onAsk: ({ ask, body }, agent) => {
        if (!body.includes("wait"))
          return streamPieces(agent, ask, [body.includes("q1") ? "again" : "first"]);
        agent.say({ type: "accept", ask });
        held = { ask, agent };
      },
    });
    for (const node of [a, b])
      await until(async () => ((await jsonOf(get(node, "models")))["data"] as unknown[])?.length === 1);

    const stream = { model: "m", stream: true };
    const whole = await readEvents(await post(a, "responses", { ...stream, input: "q1" }));
    const { id } = JSON.parse(whole.at(-1)?.data ?? "").response;
    expect(await jsonOf(get(b, `responses/${id}`))).toMatchObject({ id, status: "completed" });
    expect(await readEvents(await get(b, `responses/${id}?stream=true&starting_after=3`))).toEqual(
      whole.slice(4),
    );
    const next = await readEvents(
      await post(b, "responses", { ...stream, input: "q2", previous_response_id: id }),
    );
    expect(JSON.parse(next.at(-1)?.data ?? "").response.output[0].content[0].text).toBe("again");

    const running = await jsonOf(post(a, "responses", { model: "m", input: "wait", background: true }));
    await until(
      async () => held !== undefined && (await get(b, `responses/${running["id"]}`)).status === 200,
    );
    for (const refused of [
      get(b, `responses/${running["id"]}?stream=true`),
      post(b, `responses/${running["id"]}/cancel`, {}),
    ])
      expect(await jsonOf(refused)).toMatchObject({ error: { code: "response_elsewhere" } });
    if (held) streamPieces(held.agent, held.ask, ["done"]);
    await until(async () => (await jsonOf(get(b, `responses/${running["id"]}`)))["status"] === "completed");
  });
});
