import { expect, onTestFinished, test } from "bun:test";
import { startAgentProcess } from "../support/agent-process.ts";
import { startScene } from "../support/scene.ts";
import { until } from "../support/until.ts";

const QUESTION = "what is new?";

/** An upstream with one model, which answers, or refuses at once. */
function startUpstream(isGood: boolean) {
  const counts = { asked: 0, answered: 0 };
  const state = { isGood, counts };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (request.method === "GET") return Response.json({ object: "list", data: [{ id: "m" }] });
      // The agent itself asks which endpoints there are.
      if (!(await request.text()).includes(QUESTION)) return new Response("", { status: 404 });
      counts.asked++;
      if (!state.isGood) return Response.json({ error: { message: "no GPU" } }, { status: 503 });
      await Bun.sleep(20);
      counts.answered++;
      return Response.json({ choices: [{ message: { role: "assistant", content: "hello" } }] });
    },
  });
  onTestFinished(() => server.stop(true));
  return { ...state, state, url: `http://127.0.0.1:${server.port}/v1` };
}

test("with three agents of four failing at once every request is answered, and the three work again once they have recovered", async () => {
  const { url, agentKey, adminKey } = await startScene();
  const failing = [startUpstream(false), startUpstream(false), startUpstream(false)];
  const host = new URL(url).host;
  for (const upstream of [startUpstream(true), ...failing])
    await startAgentProcess([`${host}/agents/${agentKey}`, "--upstream", upstream.url, "--slots", "8"]);
  const headers = { authorization: `Bearer ${adminKey}` };
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: QUESTION }] });
  const ask = async () => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
    await response.body?.cancel();
    return response.status;
  };
  const call = async (count: number) => {
    const statuses: number[] = [];
    for (let n = 0; n < count; n++) statuses.push(await ask());
    return statuses;
  };
  const began = performance.now();
  const statuses = (await Promise.all([25, 25, 25, 25].map(call))).flat();
  expect(statuses).toEqual(Array.from({ length: 100 }, () => 200));
  const minutes = Math.ceil((performance.now() - began) / 60_000);
  for (const { counts } of failing) expect(counts.asked).toBeLessThanOrEqual(10 * minutes);

  for (const { state } of failing) state.isGood = true;
  await until(async () => {
    await Promise.all([ask(), ask(), ask(), ask()]);
    return failing.every(({ counts }) => counts.answered > 5);
  });
});
