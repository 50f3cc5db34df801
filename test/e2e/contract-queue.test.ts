import { describe, expect, test } from "bun:test";
import { type Scene, startScene, useScene } from "../support/scene.ts";
import { until } from "../support/until.ts";

const NO_MODEL = expect.stringContaining("No model is connected.");
const NONE = '{"error":"No available clients"}';

/** Connects an agent that answers a request only when the test calls `serve`. */
async function heldAgent(scene: Scene) {
  const gates = new Map<string, (answer: object) => void>();
  const agent = await scene.firefox({
    answer: ({ content }) => new Promise((resolve) => gates.set(content, resolve)),
  });
  scene.after(() => {
    for (const answer of gates.values()) answer({});
  });
  return {
    agent,
    /** Waits for the next request, answers it, and returns its content. */
    async serve() {
      const { content } = await agent.nextRequest();
      gates.get(content)?.({});
      return content;
    },
  };
}

describe("without a limit in the way", () => {
  const scene = useScene(["--reconnect-grace", "10m"]);

  test("an ask without any agent fails without waiting, and the next ask works once an agent registers", async () => {
    const fresh = await startScene({ flags: ["--reconnect-grace", "10m", "--queue-wait", "10m"] });
    for (let count = 0; count < 3; count++) {
      const { status, text, headers } = await fresh.ask({ content: "too early" });
      expect([status, JSON.parse(text)]).toEqual([503, { error: "No available clients", hint: NO_MODEL }]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const agent = await fresh.firefox();
    expect((await fresh.connections()).map(({ Id }) => Id)).toEqual([agent.id]);
    expect((await fresh.ask({ content: "now" })).body.content).toBe("echo: now");
  });

  test("two asks at the same moment on one agent are both answered", async () => {
    for (const connect of [scene.firefox, scene.python]) {
      const agent = await connect();
      for (let round = 0; round < 40; round++) {
        const names = [`a${round}`, `b${round}`];
        const replies = await Promise.all(names.map((content) => scene.ask({ content })));
        expect(replies.map(({ status, body }) => [status, body.content])).toEqual(
          names.map((name) => [200, `echo: ${name}`]),
        );
      }
      expect(agent.requests).toHaveLength(80);
      await agent.stop();
    }
  });

  test("a hundred callers on one agent are all answered, one at a time", async () => {
    let running = 0;
    let most = 0;
    await scene.firefox({
      async answer() {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        return {};
      },
    });
    const names = Array.from({ length: 100 }, (_, index) => `caller ${index}`);
    const replies = await Promise.all(names.map((content) => scene.ask({ content })));
    expect(replies.map(({ body }) => body.content)).toEqual(names.map((name) => `echo: ${name}`));
    expect(most).toBe(1);
  });

  test("users take turns, however many asks one of them has waiting", async () => {
    const { agent, serve } = await heldAgent(scene);
    const [busy, quiet] = [await scene.addUser(), await scene.addUser()];
    const asks = [scene.ask({ content: "first" })];
    await until(() => agent.requests.length > 0);
    for (const [index, content] of ["busy 1", "busy 2", "busy 3"].entries()) {
      asks.push(scene.ask({ content }, { key: busy.token }));
      await scene.untilWaiting(index + 1);
    }
    asks.push(scene.ask({ content: "quiet 1" }, { key: quiet.token }));
    await scene.untilWaiting(4);
    const order = [];
    for (let count = 0; count < 5; count++) order.push(await serve());
    expect(order).toEqual(["first", "busy 1", "quiet 1", "busy 2", "busy 3"]);
    for (const ask of asks) expect((await ask).status).toBe(200);
  });

  test("asks wait for the last agent to reconnect when it leaves", async () => {
    const agent = await scene.firefox();
    agent.drop();
    await agent.ended;
    await until(async () => (await scene.connections()).length === 0);
    const asked = scene.ask({ content: "patience" });
    await agent.connect();
    expect((await asked).body.content).toBe("echo: patience");
  });

  test("waiting asks fail when the last agent does not reconnect", async () => {
    const scene = await startScene({ flags: ["--reconnect-grace", "500ms"] });
    const { agent } = await heldAgent(scene);
    const asks = Array.from({ length: 5 }, (_, index) => scene.ask({ content: `${index}` }));
    await agent.nextRequest();
    agent.drop();
    const replies = await Promise.all(asks);
    const texts = replies.map(({ status, body }) => `${status} ${body.error}`).toSorted();
    expect(texts).toEqual([
      "502 Failed to read response from the client",
      ...Array(4).fill("503 No available clients"),
    ]);
  });
});

const BOUNDS = ["--queue-max", "5", "--queue-user-max", "2"];

describe("with small bounds", () => {
  const scene = useScene(["--queue-wait", "3s", ...BOUNDS]);

  test("an ask waits for a busy agent no longer than the limit", async () => {
    const { agent, serve } = await heldAgent(scene);
    const first = scene.ask({ content: "first" });
    await until(() => agent.requests.length > 0);
    const { status, text, headers } = await scene.ask({ content: "second" });
    expect([status, text]).toEqual([503, NONE]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await serve()).toBe("first");
    expect((await first).status).toBe(200);
  });

  test("a full queue is a 429 for the user's own bound and a 503 for the common one, with Retry-After and without waiting", async () => {
    const { agent, serve } = await heldAgent(scene);
    const running = scene.ask({ content: "running" });
    await until(() => agent.requests.length > 0);
    const users = [await scene.addUser(), await scene.addUser(), await scene.addUser()];
    const replies = await Promise.all(
      users.flatMap(({ token }) => ["1", "2", "3"].map((content) => scene.ask({ content }, { key: token }))),
    );
    const refused = replies.filter(
      ({ status, body }) => body.error !== "No available clients" || status !== 503,
    );
    const seen = refused.map(({ status, body }) => `${status} ${body.error}`);
    expect(seen).toContain("429 Too many of your requests are waiting");
    expect(seen).toContain("503 Too many requests are waiting");
    expect(refused).toHaveLength(4);
    for (const { headers } of refused) expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    await serve();
    expect((await running).status).toBe(200);
  });

  test("the ask of a caller who leaves is removed from the queue", async () => {
    const scene = await startScene({ flags: BOUNDS });
    const { agent, serve } = await heldAgent(scene);
    const running = scene.ask({ content: "running" });
    await until(() => agent.requests.length > 0);
    const callers = [new AbortController(), new AbortController()];
    const left = callers.map(({ signal }) => scene.ask({ content: "left" }, { signal }).catch(() => {}));
    await scene.untilWaiting(2);
    for (const caller of callers) caller.abort();
    await Promise.all(left);
    await scene.untilWaiting(0);
    const stays = [scene.ask({ content: "stays" }), scene.ask({ content: "stays" })];
    for (let count = 0; count < 3; count++) await serve();
    for (const ask of [running, ...stays]) expect((await ask).status).toBe(200);
    expect(agent.requests.map(({ content }) => content)).toEqual(["running", "stays", "stays"]);
  });
});
