import { describe, expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../src/builtin-agent/http-upstream.ts";
import type { UnlistedModels, Upstream } from "../../src/builtin-agent/upstream.ts";
import type { Endpoint } from "../../src/protocol/agent-v2.ts";
import { until } from "../support/until.ts";

const never = new AbortController().signal;
const ENDPOINT: Endpoint[] = ["chat/completions"];

async function statusOf(upstream: Upstream): Promise<{ unlisted?: UnlistedModels | undefined }> {
  const status = await upstream.check(never);
  return "offer" in status ? status : {};
}

describe("a slow list of models", () => {
  /** Starts an upstream that lists its models when `answer` is called. */
  function slow() {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    let lists = 0;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch({ method }) {
        if (method === "POST") return Response.json({ error: { message: "no" } }, { status: 400 });
        lists++;
        return Response.json({ data: (await promise).map((id) => ({ id })) });
      },
    });
    onTestFinished(() => server.stop(true));
    const answer = (...ids: string[]) => resolve(ids);
    return { url: `http://127.0.0.1:${server.port}`, lists: () => lists, answer };
  }

  test("a slow list is waited for, without --model", async () => {
    const { url, answer } = slow();
    const upstream = createHttpUpstream({
      url,
      models: [],
      endpoints: ENDPOINT,
      limits: { optionalListMs: 1 },
    });
    const status = upstream.check(never);
    await Bun.sleep(50);
    answer("a");
    expect(await status).toMatchObject({ offer: { models: [{ id: "a" }] } });
  });

  test("chosen models are offered before a slow list, which later tells of models that it does not have", async () => {
    const { url, lists, answer } = slow();
    const limits = { optionalListMs: 20 };
    const upstream = createHttpUpstream({ url, models: ["a", "nosuch"], endpoints: ENDPOINT, limits });
    const models = [{ id: "a" }, { id: "nosuch" }];
    for (let times = 0; times < 2; times++)
      expect(await upstream.check(never)).toEqual({ offer: { models, endpoints: ENDPOINT } });
    expect(lists()).toBe(1);
    answer("a:latest", "b");
    const unlisted = { models: ["nosuch"], listed: ["a:latest", "b"] };
    await until(async () => Bun.deepEquals((await statusOf(upstream)).unlisted, unlisted));
  });

  test("a list that never comes does not keep chosen models away", async () => {
    const { url, lists } = slow();
    const limits = { optionalListMs: 10_000, listMs: 20 };
    const upstream = createHttpUpstream({ url, models: ["a"], endpoints: ENDPOINT, limits });
    for (let times = 0; times < 3; times++)
      expect(await upstream.check(never)).toMatchObject({ offer: { models: [{ id: "a" }] } });
    expect(lists()).toBeGreaterThanOrEqual(3);
  });
});
