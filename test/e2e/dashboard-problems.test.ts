import { expect, onTestFinished, test } from "bun:test";
import { createHmac } from "node:crypto";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { openDashboard } from "../support/browser-dashboard.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

const SECRET = "the secret of the receiver";

interface Problems {
  type: string;
  open: number;
  problems: { event: string; code: string; message: string; details: Record<string, unknown> }[];
}

/** A receiver that takes only messages that are signed rightly. */
function startReceiver() {
  const messages: Problems[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const text = await request.text();
      const [, time, signature] =
        /^t=(\d+),v1=(.+)$/.exec(request.headers.get("alert-signature") ?? "") ?? [];
      const isFresh = Math.abs(Date.now() / 1000 - Number(time)) < 300;
      const wanted = createHmac("sha256", SECRET).update(`${time}.${text}`).digest("hex");
      if (!isFresh || signature !== wanted) return new Response("the signature is wrong", { status: 403 });
      messages.push(JSON.parse(text));
      return new Response("thanks");
    },
  });
  onTestFinished(() => server.stop(true));
  return { messages, url: `http://127.0.0.1:${server.port}/hook/${crypto.randomUUID()}` };
}

const asAdmin = ({ adminKey }: Scene) => ({ headers: { authorization: adminKey } });

/** Connects an agent that fails its requests until `state.isBroken` is false. */
async function connectAgent(scene: Scene) {
  const state = { isBroken: true };
  const agent = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name: "gpu-1", models: [{ id: "llama3.3" }] },
    key: scene.agentKey,
    onAsk: ({ ask }, agent) => {
      if (!state.isBroken) return streamPieces(agent, ask, ["fine"]);
      agent.say({
        type: "fail",
        ask,
        error: { message: "CUDA out of memory" },
        retryable: false,
        status: 500,
      });
    },
  });
  scene.after(() => agent.stop());
  return state;
}

const askOnce = (scene: Scene) => scene.ask({ content: "hi", model: "llama3.3", stream: true });

inBrowser("dashboard: problems", (browser) => {
  test("an agent that fails is explained on the overview and to the webhook, and so is its recovery", async () => {
    const { messages, url } = startReceiver();
    const scene = await startScene({ flags: ["--alert-webhook", url, "--alert-webhook-secret", SECRET] });
    scene.server.keepSecret(url);
    scene.server.keepSecret(SECRET);
    const state = await connectAgent(scene);
    const page = await openDashboard(browser, scene);
    await shows(page.getByText("1 agent takes requests, and 1 model is offered."));
    await checkAccessibility(page);

    for (let time = 0; time < 4; time++) await askOnce(scene);
    const sentence = /gpu-1 has failed \d of its last \d requests: the upstream responded with status 500\./;
    await shows(page.getByRole("listitem").getByText(sentence), page.getByText("Ready, with 1 problem"));
    await shows(page.getByText(/^A problem has begun: gpu-1 has failed/));
    await checkAccessibility(page);
    const link = page.getByRole("link", { name: "Requests of gpu-1" });
    expect(await link.getAttribute("href")).toMatch(/^#\/requests\?agent=[0-9a-f-]{36}&period=1h$/);
    await until(() => messages.length === 1);
    expect(messages[0]).toMatchObject({
      ...{ type: "problems", open: 1 },
      problems: [{ event: "started", code: "agent_failing", message: expect.stringMatching(sentence) }],
    });
    const { body } = await scene.request<Problems>("/admin/problems", asAdmin(scene));
    expect(body.problems).toMatchObject([
      { code: "agent_failing", details: { agents: [{ name: "gpu-1" }] } },
    ]);
    const metrics = await scene.request("/metrics", asAdmin(scene));
    expect(metrics.text).toContain('\nchatgpt_api_problems{code="agent_failing"} 1\n');

    state.isBroken = false;
    for (let good = 0; good < 8; ) {
      if ((await askOnce(scene)).status === 200) good++;
      else await Bun.sleep(500);
    }
    await hides(page.getByText(sentence));
    await shows(page.getByText("1 agent takes requests, and 1 model is offered."));
    await shows(page.getByText("All problems are over."));
    await until(() => messages.length === 2);
    expect(messages[1]).toMatchObject({ open: 0, problems: [{ event: "ended", code: "agent_failing" }] });
    expect(messages[1]?.problems[0]?.message).toStartWith("gpu-1 no longer fails, or has left. It lasted ");
  });

  test("a test message says what the receiver answered, and no page shows the webhook's address", async () => {
    const { messages, url } = startReceiver();
    const scene = await startScene({ flags: ["--alert-webhook", url] });
    scene.server.keepSecret(url);
    const init = { ...asAdmin(scene), method: "POST" };
    expect((await scene.request("/admin/webhook/test", init)).body).toEqual({
      ...{ delivered: false, status: 403, answer: "the signature is wrong", format: "generic" },
    });
    expect(messages).toEqual([]);
    const settings = await scene.request("/admin/settings", asAdmin(scene));
    expect(settings.text).not.toContain(new URL(url).pathname);
    expect(settings.body["settings"]).toMatchObject({
      alertWebhook: { value: "***", from: "--alert-webhook" },
    });
  });

  test("the webhook can be set and taken away while the server runs, and no answer nor the audit shows it", async () => {
    const { url } = startReceiver();
    const scene = await startScene();
    scene.server.keepSecret(url);
    const headers = { authorization: scene.adminKey, "content-type": "application/json" };
    const change = (webhook: object | null) =>
      scene.request<{ settings: Record<string, object> }>("/admin/settings", {
        ...{ method: "PATCH", headers, body: JSON.stringify({ webhook }) },
      });
    const test = () => scene.request("/admin/webhook/test", { method: "POST", headers });
    const changed = await change({ url, secret: SECRET });
    expect(changed.body.settings["webhook"]).toMatchObject({
      ...{ value: "***, auto, warning", from: "database", changeable: true },
      current: { url: "***", secret: "***", format: "auto", severity: "warning" },
    });
    expect(changed.text).not.toContain(SECRET);
    expect((await test()).body).toMatchObject({ delivered: true, status: 200, answer: "thanks" });
    const audit = await scene.request("/admin/audit", asAdmin(scene));
    expect(audit.text).toContain('"webhook"');
    for (const secret of [SECRET, new URL(url).pathname]) expect(audit.text).not.toContain(secret);
    expect((await change({ url: "ftp://example.com" })).status).toBe(400);
    expect((await change({ url: null })).status).toBe(200);
    expect((await test()).status).toBe(409);
    await change({ url });
    await change(null);
    expect((await test()).status).toBe(409);
  });

  test("a server without a webhook refuses to send a test message, and users may not see problems", async () => {
    const scene = await startScene();
    const init = { ...asAdmin(scene), method: "POST" };
    expect(await scene.request("/admin/webhook/test", init)).toMatchObject({ status: 409 });
    const { token } = await scene.addUser();
    expect(await scene.request("/admin/problems", { headers: { authorization: token } })).toMatchObject({
      status: 401,
    });
  });
});
