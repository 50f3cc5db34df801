import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

/** Notes the texts that are drawn on a canvas, and whether each is wholly on it. */
const WATCH_TEXTS = `
  globalThis.drawn = [];
  const clearRect = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    drawn = drawn.filter(({ canvas }) => canvas !== this.canvas);
    return clearRect.apply(this, area);
  };
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const { width } = this.measureText(text);
    const left = x - (this.textAlign === "center" ? width / 2 : this.textAlign === "right" ? width : 0);
    const matrix = this.getTransform();
    const end = (left + width) * matrix.a + matrix.e;
    drawn.push({ text, canvas: this.canvas, y, isCut: left + matrix.e < -1 || end > this.canvas.width + 1, align: this.textAlign });
    return fillText.apply(this, arguments);
  };`;

interface Axis {
  cut: string[];
  /** The labels of each chart's vertical axis, from the bottom. */
  ticks: string[][];
}

const readAxes = (page: Page): Promise<Axis> =>
  page.evaluate(`(() => {
    const canvases = [...new Set(drawn.map(({ canvas }) => canvas))];
    const ticks = canvases.map((canvas) => {
      const own = drawn.filter((label) => label.canvas === canvas && label.align === "right");
      const newest = new Map(own.map(({ y, text }) => [y, text]));
      return [...newest].sort(([a], [b]) => b - a).map(([, text]) => text);
    });
    return { cut: drawn.filter(({ isCut }) => isCut).map(({ text }) => text), ticks };
  })()`);

inBrowser("dashboard: health", (browser) => {
  const scene = useScene();

  async function startAgents() {
    const broken = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name: "broken-box", models: [{ id: "broken" }] },
      onAsk: ({ ask }, agent) => {
        const error = { message: "CUDA out of memory" };
        agent.say({ type: "fail", ask, error, retryable: false, status: 500 });
      },
    });
    const good = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name: "good-box" },
      onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["fine"]),
    });
    scene.after(() => Promise.all([broken.stop(), good.stop()]));
    for (let times = 0; times < 4; times++) await scene.ask({ content: "hi", model: "broken" });
    await scene.ask({ content: "hi", model: "m", stream: true });
  }

  test("an agent that fails every request is shown as failing, with the last error, on both pages", async () => {
    await startAgents();
    const page = await openDashboard(browser, scene);
    const sentence =
      "broken-box has failed 4 of its last 4 requests: the upstream responded with status 500.";
    await shows(page.getByRole("listitem").getByText(sentence));
    await shows(page.getByText("1 of them failing"));
    await checkAccessibility(page);
    await goTo(page, "Agents");
    const row = rowOf(page, "Connected agents", "broken-box");
    await shows(row.getByText("Failing", { exact: true }), row.getByText(/4 of the last 4 requests failed/));
    await shows(rowOf(page, "Connected agents", "good-box").getByText("Ready", { exact: true }));
    await page.getByRole("button", { name: "broken-box", exact: true }).click();
    await shows(page.getByRole("dialog").getByText("4 of 4 failed"));
  });

  test("refused requests and their reasons are on the usage pages of administrators and of the user", async () => {
    await startAgents();
    const add = { name: "Ann", requests_per_minute: 1, models: ["m"] };
    const init = { method: "POST", headers: { authorization: scene.adminKey }, body: JSON.stringify(add) };
    const { token } = (await scene.request<{ token: string }>("/admin/users/add", init)).body;
    scene.server.keepSecret(token);
    for (let times = 0; times < 3; times++)
      await scene.ask({ content: "hi", model: "m", stream: true }, { key: token });
    const page = await openDashboard(browser, scene, { key: token });
    await goTo(page, "Usage");
    await shows(page.getByText("2 requests per minute", { exact: true }));
    const admin = await openDashboard(browser, scene);
    await goTo(admin, "Usage");
    await admin.getByRole("radio", { name: "By user" }).check();
    const cell = rowOf(admin, "Usage by user", "Ann").getByText("requests per minute");
    await cell.waitFor({ state: "attached" });
    await admin.getByRole("radio", { name: "By agent" }).check();
    await shows(rowOf(admin, "Usage by agent", "broken-box"), rowOf(admin, "Usage by agent", "good-box"));
    await checkAccessibility(admin);
  });

  test("the axes of charts have even ticks, and no label is cut off", async () => {
    await startAgents();
    const page = await openDashboard(browser, scene);
    await page.context().addInitScript(WATCH_TEXTS);
    for (const path of ["overview", "usage", "usage?period=365"]) {
      await page.goto(`${scene.url}/dashboard#/${path}`);
      await page.reload();
      await page.locator(".chart canvas").first().waitFor();
      await page.waitForFunction("globalThis.drawn?.length > 4");
      const { cut, ticks } = await readAxes(page);
      expect([path, cut]).toEqual([path, []]);
      for (const labels of ticks) {
        const values = labels.map(Number).filter((value) => !Number.isNaN(value));
        const steps = values
          .slice(1)
          .map((value, index) => Math.round((value - (values[index] ?? 0)) * 1000));
        expect(new Set(steps).size).toBeLessThanOrEqual(1);
      }
    }
    await hides(page.getByText("Connecting …"));
  });
});
