import { describe, expect, onTestFinished, test } from "bun:test";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { ADMIN } from "../../src/principal.ts";
import { PROBLEM_CODES } from "../../src/protocol/node/problems.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { namesOf, readExposition } from "../support/exposition.ts";
import { createRelayBench } from "../support/relay.ts";

interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; datasource: { uid: string } }[];
}

const read = (path: string) => Bun.file(new URL(`../../${path}`, import.meta.url)).text();
const DASHBOARD = JSON.parse(await read("docs/grafana-dashboard.json"));
const PAGE = await read("docs/monitoring.md");
const panels: Panel[] = DASHBOARD.panels;
const graphs = panels.filter(({ type }) => type !== "row");

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own placeholder.
const SOURCE = "${datasource}";

const METRIC = /\b(?:chatgpt_api|process)_[a-z_]+/g;

/** Returns the metric families with their labels, after something of every kind was counted. */
async function metricFamilies() {
  const metrics = createMetrics({
    version: "1",
    relay: () => createRelayBench().relay,
    server: () => ({ requests: 0, sockets: 0 }),
    knowsModel: () => true,
  });
  onTestFinished(metrics.stop);
  const record: AskRecord = {
    ...{ requestId: "r", surface: "ask" },
    ...{
      principal: ADMIN,
      agent: "a",
      agentName: "a",
      model: "m",
      outcome: "ok",
      upstreamStatus: 200,
      at: 0,
      tries: 2,
    },
    ...{ queueMs: 1, firstByteMs: 1, durationMs: 1, deltas: 1, answerLength: 1 },
    ...{ inputTokens: 1, outputTokens: 1, tokensEstimated: false },
  };
  metrics.askEnded(record);
  metrics.askEnded({ ...record, tokensEstimated: true });
  metrics.requestAnswered({ route: "/", method: "GET", status: 200, durationMs: 1 });
  metrics.agents.left("replaced");
  metrics.addStore(async () => false);
  metrics.addProblems(() => Object.fromEntries(PROBLEM_CODES.map((code) => [code, 0])) as never);
  metrics.addCertificate(() => ({ expiresAt: 0, renewal: undefined }));
  metrics.addCluster({
    nodes: () => 1,
    traffic: () => ({ messagesIn: 0, messagesOut: 0, resends: 0, resets: 0 }),
    lending: () => ({ tickets: 0, offers: { run: 0, substituted: 0, given: 0, expired: 0 } }),
    triesLost: () => 0,
    limitsUnasked: () => 0,
  });
  return [...readExposition(await metrics.text()).values()];
}

const expressions = graphs.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const [, RULES = ""] = /```yaml\n(groups:[\s\S]*?)```/.exec(PAGE) ?? [];

describe("the Grafana dashboard", () => {
  test("the Grafana dashboard queries every metric that exists, and no other", async () => {
    const families = await metricFamilies();
    const asked = new Set(expressions.flatMap((expr) => expr.match(METRIC) ?? []));
    const names = families.flatMap(namesOf);
    expect([...asked].filter((name) => !names.includes(name))).toEqual([]);
    const unseen = families.filter((family) => !namesOf(family).some((name) => asked.has(name)));
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });

  test("the Grafana dashboard and the alert rules use only labels that the metric has", async () => {
    const families = await metricFamilies();
    for (const expr of [...expressions, ...RULES.split("- alert")]) {
      const wanted = [...expr.matchAll(/by \(([^)]*)\)|\{([^}]*)\}/g)].flatMap(([, by = "", braces = ""]) => [
        ...by.split(",").map((label) => label.trim()),
        ...[...braces.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label),
      ]);
      const own = families.filter((family) => namesOf(family).some((name) => expr.includes(name)));
      const known = own.flatMap(({ samples }) => samples.flatMap(({ labels }) => Object.keys(labels)));
      const there = new Set([...known, "", "instance", "job"]);
      expect(
        wanted.filter((label) => !there.has(label)),
        expr,
      ).toEqual([]);
    }
  });

  test("every panel of the Grafana dashboard has a title, a description, and the data source as a variable", () => {
    expect(graphs.length).toBeGreaterThan(20);
    for (const panel of panels) expect(panel.title?.trim(), `panel ${panel.id}`).toBeTruthy();
    for (const { description, datasource, targets = [], title } of graphs) {
      expect(description?.trim(), title ?? "").toEndWith(".");
      expect(datasource, title ?? "").toEqual({ type: "prometheus", uid: SOURCE });
      expect(targets.length, title ?? "").toBeGreaterThan(0);
      for (const target of targets) expect(target.datasource.uid).toBe(SOURCE);
    }
    const [variable] = DASHBOARD.templating.list;
    expect(variable).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
  });

  test("no panel of the Grafana dashboard overlaps another one or the edge", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { id, gridPos: a } of panels) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      for (const { id: other, gridPos: b } of panels) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(id === other || apart, `panels ${id} and ${other}`).toBe(true);
      }
    }
  });
});

describe("docs/monitoring.md", () => {
  test("the table in docs/monitoring.md has every metric with its labels, and no other", async () => {
    const [, section = ""] = PAGE.split("\n## Metrics\n");
    const rows = section.split("\n").filter((line) => /^\| `(chatgpt_api|process)_/.test(line));
    const documented = rows.flatMap((row) => {
      const [, names = "", labels = ""] = row.split("|");
      const list = (labels.match(/[a-z]+/g) ?? []).sort();
      return (names.match(METRIC) ?? []).map((name) => `${name} ${list}`);
    });
    const families = await metricFamilies();
    const real = families.map(({ name, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      labels.delete("le");
      return `${name} ${[...labels].sort()}`;
    });
    expect(documented.sort()).toEqual(real.sort());
  });

  test("the alert rules in docs/monitoring.md use metrics that exist", async () => {
    const names = (await metricFamilies()).flatMap(namesOf);
    const asked = RULES.match(METRIC) ?? [];
    expect(asked.length).toBeGreaterThan(6);
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });
});
