import { describe, expect, onTestFinished, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createMetrics, type Metrics } from "../../src/metrics/metrics.ts";
import { userPrincipal } from "../../src/principal.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { type Family, readExposition, sampleValue } from "../support/exposition.ts";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const OFFERED = /^(m|offered-\d+|a "quoted"\\\n name)$/;

function start(): Metrics & ReturnType<typeof createRelayBench> {
  const bench = createRelayBench({}, (record) => metrics.askEnded(record));
  const metrics = createMetrics({
    version: "1.2.3",
    relay: () => bench.relay,
    server: () => ({ requests: 2, sockets: 3 }),
    knowsModel: (model) => OFFERED.test(model),
  });
  onTestFinished(metrics.stop);
  return { ...bench, ...metrics };
}

const read = ({ text }: Metrics) => readExposition(text());

const RECORD: AskRecord = {
  requestId: "req_1",
  surface: "chat/completions",
  principal: userPrincipal("ann"),
  agent: "agent-1",
  agentName: "test agent",
  model: "m",
  outcome: "ok",
  upstreamStatus: 200,
  at: 0,
  tries: 1,
  queueMs: 20,
  firstByteMs: 300,
  durationMs: 1500,
  deltas: 4,
  answerLength: 70,
  inputTokens: 11,
  outputTokens: 5,
  cachedTokens: 8,
  cacheCreationTokens: 2,
  reasoningTokens: 4,
  tokensEstimated: false,
};

/** Checks the rules of https://prometheus.io/docs/practices/naming/ that a program can check. */
function faultsOf({ name, type, help, samples }: Family): string[] {
  const faults: string[] = [];
  if (!/^(chatgpt_api|process)_[a-z0-9_]+$/.test(name)) faults.push(`${name}: its name`);
  if ((type === "counter") !== name.endsWith("_total")) faults.push(`${name}: only counters end in _total`);
  if (type === "histogram" && !name.endsWith("_seconds")) faults.push(`${name}: has no unit`);
  if (/_(count|sum|bucket|info)$/.test(name) && name !== "chatgpt_api_build_info")
    faults.push(`${name}: its end`);
  if (/(milliseconds|_ms|minutes|kilobytes|_mb|percent)(_|$)/.test(name))
    faults.push(`${name}: not a base unit`);
  if (!/^[A-Z].+\.$/.test(help)) faults.push(`${name}: its help is not a sentence`);
  for (const { labels } of samples) {
    for (const label of Object.keys(labels))
      if (!/^[a-z]+$/.test(label) || /^(job|instance)$/.test(label)) faults.push(`${name}: label ${label}`);
  }
  return faults;
}

function histogramFaults({ name, samples }: Family): string[] {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  return [...series].flatMap(([labels, of]) => {
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => Number(le?.replace("Inf", "Infinity")));
    const values = buckets.map(({ value }) => value);
    const isSorted = (list: number[]) => list.every((value, at) => at === 0 || value >= (list[at - 1] ?? 0));
    const count = of.find((sample) => sample.name === `${name}_count`)?.value;
    const isSound =
      isSorted(bounds) && isSorted(values) && bounds.at(-1) === Infinity && values.at(-1) === count;
    return isSound ? [] : [`${name} ${labels}: its buckets`];
  });
}

describe("the metrics", () => {
  test("the metrics are in text format and named by the rules, and each histogram is consistent", () => {
    const metrics = start();
    metrics.askEnded(RECORD);
    metrics.askEnded({
      ...RECORD,
      model: 'a "quoted"\\\n name',
      outcome: "agent_lost",
      firstByteMs: undefined,
    });
    metrics.requestAnswered({ route: "/health", method: "GET", status: 200, durationMs: 1 });
    metrics.agents.joined();
    metrics.agents.left("pong_missed");
    const families = read(metrics);
    expect(families.size).toBeGreaterThan(25);
    expect([...families.values()].flatMap(faultsOf)).toEqual([]);
    const histograms = [...families.values()].filter(({ type }) => type === "histogram");
    expect(histograms.length).toBe(5);
    expect(histograms.flatMap(histogramFaults)).toEqual([]);
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("the metrics of an ask are its times in seconds, its size and its tokens", () => {
    const metrics = start();
    metrics.askEnded(RECORD);
    metrics.askEnded({
      ...RECORD,
      outcome: "agent_timeout",
      tries: 3,
      inputTokens: undefined,
      outputTokens: undefined,
      cachedTokens: undefined,
      cacheCreationTokens: undefined,
      reasoningTokens: undefined,
      deltas: 0,
      answerLength: 0,
    });
    const families = read(metrics);
    const value = (name: string, labels = {}) => sampleValue(families, `chatgpt_api_${name}`, labels);
    const surface = "chat/completions";
    expect(value("asks_total", { surface, model: "m", outcome: "ok" })).toBe(1);
    expect(value("asks_total", { surface, model: "m", outcome: "agent_timeout" })).toBe(1);
    expect(value("ask_retries_total")).toBe(2);
    expect(value("ask_queue_seconds_sum")).toBeCloseTo(0.04);
    expect(value("ask_first_byte_seconds_sum", { model: "m" })).toBeCloseTo(0.6);
    expect(value("ask_duration_seconds_count", { model: "m" })).toBe(1);
    expect(value("ask_duration_seconds_sum", { model: "m" })).toBeCloseTo(1.5);
    expect(value("answer_deltas_total", { model: "m" })).toBe(4);
    expect(value("answer_characters_total", { model: "m" })).toBe(70);
    expect(value("tokens_total", { model: "m", kind: "input" })).toBe(11);
    expect(value("tokens_total", { model: "m", kind: "output" })).toBe(5);
    for (const [kind, tokens] of [
      ["cached", 8],
      ["cache_creation", 2],
      ["reasoning", 4],
    ] as const)
      expect(value("token_details_total", { model: "m", kind })).toBe(tokens);
  });

  test("estimated tokens are counted apart from those that upstreams report", () => {
    const metrics = start();
    metrics.askEnded({ ...RECORD, tokensEstimated: true });
    const families = read(metrics);
    const value = (name: string, labels = {}) => sampleValue(families, `chatgpt_api_${name}`, labels);
    expect(value("tokens_estimated_total", { model: "m", kind: "input" })).toBe(11);
    expect(value("tokens_estimated_total", { model: "m", kind: "output" })).toBe(5);
    expect(value("tokens_total", { model: "m", kind: "input" })).toBe(0);
  });

  test("the metrics of the relay are current, and collecting them twice does not change a counter", () => {
    const metrics = start();
    const { relay, ask } = metrics;
    const v1 = joinAgent(relay, "a");
    const v2 = joinAgent(relay, "b", { protocol: "v2", slots: 3 });
    void ask("fails", { model: "m" });
    const error = new AppError("agent_failed", { retryAfterMs: 1_000 });
    v2.link.fail(v2.asks.shift()?.slot ?? "", error, true);
    v2.link.pause();
    v1.link.ignored();
    void ask("runs");
    void ask("waits");
    for (let look = 0; look < 2; look++) {
      const families = read(metrics);
      const value = (name: string, labels = {}) => sampleValue(families, `chatgpt_api_${name}`, labels);
      expect([value("agents", { protocol: "v1" }), value("agents", { protocol: "v2" })]).toEqual([1, 1]);
      expect([value("agents_available"), value("slots"), value("slots_in_use")]).toEqual([1, 4, 1]);
      expect([value("queue_length"), value("asks_running")]).toEqual([1, 1]);
      expect([value("frames_ignored_total"), value("answers_dropped_total")]).toEqual([1, 0]);
      expect([value("http_requests_in_flight"), value("websockets")]).toEqual([2, 3]);
      expect(value("agent_circuits", { state: "open" })).toBe(1);
      expect([
        value("agent_circuits", { state: "half_open" }),
        value("agent_circuit_openings_total"),
      ]).toEqual([0, 1]);
      expect(value("build_info", { version: "1.2.3", bun: Bun.version })).toBe(1);
    }
  });

  test("the metrics of the process are real", () => {
    const families = read(start());
    const value = (name: string) => sampleValue(families, `process_${name}`);
    expect(value("resident_memory_bytes")).toBeGreaterThan(10e6);
    expect(value("cpu_seconds_total")).toBeGreaterThan(0);
    expect(Math.abs(value("start_time_seconds") + process.uptime() - Date.now() / 1000)).toBeLessThan(60);
    if (process.platform !== "linux") return;
    expect(value("open_fds")).toBeGreaterThan(3);
    expect(value("max_fds")).toBeGreaterThan(value("open_fds"));
  });
});

describe("the number of series stays bounded", () => {
  const series = (metrics: Metrics) => [...read(metrics).values()].flatMap(({ samples }) => samples).length;

  test("models that callers invent add no series", () => {
    const metrics = start();
    for (let n = 0; n < 3; n++) metrics.askEnded({ ...RECORD, model: `made-up-${n}` });
    const before = series(metrics);
    for (let n = 0; n < 1000; n++) metrics.askEnded({ ...RECORD, model: crypto.randomUUID() });
    expect(series(metrics)).toBe(before);
    const families = read(metrics);
    expect(sampleValue(families, "chatgpt_api_asks_total", { model: "other" })).toBe(1003);
  });

  test("only the first hundred models that agents offer have series of their own", () => {
    const metrics = start();
    for (let n = 0; n < 1000; n++) metrics.askEnded({ ...RECORD, model: `offered-${n % 500}` });
    const samples = read(metrics).get("chatgpt_api_asks_total")?.samples ?? [];
    expect(samples.length).toBe(101);
    expect(samples.find(({ labels }) => labels["model"] === "offered-7")?.value).toBe(2);
    expect(samples.find(({ labels }) => labels["model"] === "other")?.value).toBe(800);
  });

  test("users, agents and invented methods add no series", () => {
    const metrics = start();
    metrics.askEnded(RECORD);
    const request = { route: "/health", status: 200, durationMs: 1 };
    metrics.requestAnswered({ ...request, method: "BREW" });
    const before = series(metrics);
    for (let n = 0; n < 100; n++) {
      metrics.askEnded({ ...RECORD, principal: userPrincipal(`user-${n}`), agent: `agent-${n}` });
      metrics.requestAnswered({ ...request, method: `BREW${n}` });
    }
    expect(series(metrics)).toBe(before);
  });

  test("an ask without a model counts under none", () => {
    const metrics = start();
    metrics.askEnded({ ...RECORD, model: undefined });
    expect(sampleValue(read(metrics), "chatgpt_api_asks_total", { model: "none" })).toBe(1);
  });
});

test("the metrics of a node have what its parts count", () => {
  const { addCluster, text } = start();
  addCluster({
    nodes: () => 3,
    traffic: () => ({ messagesIn: 4, messagesOut: 5, resends: 6, resets: 7 }),
    lending: () => ({ tickets: 8, offers: { run: 9, substituted: 10, given: 11, expired: 12 } }),
    triesLost: () => 13,
    limitsUnasked: () => 14,
  });
  const value = (name: string, labels = {}) =>
    sampleValue(readExposition(text()), `chatgpt_api_${name}`, labels);
  expect([value("cluster_nodes"), value("tickets"), value("cluster_resends_total")]).toEqual([3, 8, 6]);
  expect(value("cluster_messages_total", { direction: "out" })).toBe(5);
  expect(value("offers_total", { outcome: "given" })).toBe(11);
  expect([value("asks_lent_total"), value("tries_lost_total", { reason: "node" })]).toEqual([19, 13]);
  expect([value("cluster_resets_total"), value("limits_unasked_total")]).toEqual([7, 14]);
});

test("a single server has no metrics of a cluster or a shared database", () => {
  expect(start().text()).not.toMatch(
    /chatgpt_api_(cluster|tickets|offers|asks_lent|tries_lost|store_degraded)/,
  );
});

test("the metric of the database follows its checks, one collection later", async () => {
  const metrics = start();
  let isDegraded = true;
  metrics.addStore(async () => isDegraded);
  const value = async () => {
    const before = sampleValue(read(metrics), "chatgpt_api_store_degraded", {});
    await Bun.sleep(0);
    return before;
  };
  expect([await value(), await value()]).toEqual([0, 1]);
  isDegraded = false;
  expect([await value(), await value()]).toEqual([1, 0]);
});
