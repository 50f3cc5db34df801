import { describe, expect, test } from "bun:test";
import { createHttpUpstream } from "../../../src/builtin-agent/http-upstream.ts";
import { readTrace } from "../../../src/http/middleware/trace.ts";
import { startBuiltinAgent } from "../../builtin-agent/start.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const OURS = "b7ad6b7169203331";

const read = (traceparent?: string, tracestate?: string) =>
  readTrace(
    new Headers({
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
    }),
    () => OURS,
  );
const stateOf = (tracestate: string) => read(`00-${TRACE}-${SPAN}-01`, tracestate)?.tracestate;

describe("a traceparent", () => {
  test("a traceparent is continued with a span of our own in place of the caller's", () => {
    expect(read(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: OURS,
      parentSpanId: SPAN,
      traceparent: `00-${TRACE}-${OURS}-01`,
      tracestate: undefined,
    });
    const made = readTrace(new Headers({ traceparent: `00-${TRACE}-${SPAN}-00` }));
    expect(made?.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });

  test.each([
    ["00", "00"],
    ["01", "01"],
    ["02", "00"],
    ["ff", "01"],
  ])("a traceparent with the flags %s is passed on with %s", (given, passed) => {
    expect(read(`00-${TRACE}-${SPAN}-${given}`)?.traceparent).toEndWith(`-${passed}`);
  });

  test.each(["-more", ""])("a traceparent of a later version, with %p after it, is read as ours", (rest) => {
    expect(read(`cc-${TRACE}-${SPAN}-01${rest}`)?.traceparent).toBe(`00-${TRACE}-${OURS}-01`);
  });

  test.each([
    ["", "empty"],
    [`00-${TRACE}-${SPAN}`, "one without flags"],
    [`00-${TRACE}-${SPAN}-1`, "one with short flags"],
    [`00-${TRACE}-${SPAN}-01-`, "one of version 00 with something after it"],
    [`00-${TRACE}-${SPAN}-01.x`, "one with a wrong sign after it"],
    [`cc-${TRACE}-${SPAN}-01.x`, "one of a later version with a wrong sign after it"],
    [`ff-${TRACE}-${SPAN}-01`, "one of the forbidden version"],
    [`0-${TRACE}-${SPAN}-01`, "one with a short version"],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, "one in capitals"],
    [`00-${"0".repeat(32)}-${SPAN}-01`, "one with a trace id of zeros"],
    [`00-${TRACE}-${"0".repeat(16)}-01`, "one with a span id of zeros"],
    [`00-${TRACE.slice(1)}-${SPAN}-01`, "one with a short trace id"],
    [`00-${TRACE}-${SPAN}-0g`, "one with flags that are not hexadecimal"],
    [`00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, "two of them"],
  ])("%p is not read as a traceparent, as it is %s", (traceparent) => {
    expect(read(traceparent, "a=b")).toBeUndefined();
  });
});

describe("a tracestate", () => {
  test.each([
    ["congo=t61rcWkgMzE", "congo=t61rcWkgMzE"],
    ["rojo=1, \tcongo=2 ,, a=3", "rojo=1,congo=2,a=3"],
    ["tenant-1@vendor=x y", "tenant-1@vendor=x y"],
    ["0tenant@v=1", "0tenant@v=1"],
    [`${"k".repeat(256)}=${"v".repeat(200)}`, `${"k".repeat(256)}=${"v".repeat(200)}`],
  ])("the tracestate %p is passed on as %p", (given, passed) => expect(stateOf(given)).toBe(passed));

  test.each([
    "Congo=1",
    "0key=1",
    "key",
    "key=",
    "=value",
    "key=a=b",
    "key=ä",
    "a=1,a=2",
    "tenant@Vendor=1",
    "tenant@avendorthatistoolong=1",
    `${"k".repeat(257)}=1`,
    `k=${"v".repeat(257)}`,
    Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(","),
  ])("the tracestate %p is dropped, and the trace goes on without it", (given) => {
    expect(read(`00-${TRACE}-${SPAN}-01`, given)).toMatchObject({ traceId: TRACE, tracestate: undefined });
  });

  test("a tracestate that is too long loses its long members first, then its last ones", () => {
    const long = `long=${"v".repeat(200)}`;
    const short = Array.from({ length: 9 }, (_, n) => `k${n}=${"v".repeat(60)}`);
    expect(stateOf([long, ...short].join(","))).toBe(short.slice(0, 8).join(","));
  });

  test("a tracestate without a traceparent is ignored", () => {
    expect(read(undefined, "a=b")).toBeUndefined();
  });
});

describe("end to end", () => {
  function startUpstream() {
    const seen: Headers[] = [];
    const upstream = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        if (new URL(request.url).pathname.endsWith("/models"))
          return Response.json({ object: "list", data: [{ id: "m", object: "model" }] });
        if (request.headers.has("traceparent")) seen.push(request.headers);
        const message = { role: "assistant", content: "hello" };
        return Response.json({
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: "stop" }],
        });
      },
    });
    return { upstream, seen, url: `http://127.0.0.1:${upstream.port}/v1` };
  }

  test("caller, log, agent's log and upstream share a trace id, and each has its own span", async () => {
    const { upstream, seen, url } = startUpstream();
    const server = await startTestServer();
    const agent = createHttpUpstream({ url, models: [], endpoints: ["chat/completions", "embeddings"] });
    const builtin = startBuiltinAgent({ host: new URL(server.url).host }, { upstream: agent });
    await until(() => builtin.printed.length === 1);
    const ask = (path: string, body: object) =>
      fetch(server.url + path, {
        method: "POST",
        headers: {
          authorization: ADMIN_KEY,
          traceparent: `00-${TRACE}-${SPAN}-01`,
          tracestate: "congo=t61rcWkgMzE",
        },
        body: JSON.stringify(body),
      });
    const messages = [{ role: "user", content: "hi" }];
    await ask("/v1/chat/completions", { model: "m", messages });
    await ask("/v1/messages", { model: "m", max_tokens: 5, messages });
    await ask("/v1/embeddings", { model: "m", input: "hi" });
    await ask("/api/ask", { content: "hi" });
    expect(seen.length).toBe(4);
    for (const headers of seen) {
      const [version, traceId, spanId = "", flags] = headers.get("traceparent")?.split("-") ?? [];
      expect([version, traceId, flags]).toEqual(["00", TRACE, "01"]);
      expect(spanId).not.toBe(SPAN);
      expect(headers.get("tracestate")).toBe("congo=t61rcWkgMzE");
      const lines = server
        .logged()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const own = lines.filter((line) => line.span_id === spanId);
      expect(own.map(({ event, trace_id }) => [event, trace_id])).toEqual([
        ["ask", TRACE],
        ["request", TRACE],
      ]);
      expect(own[1].parent_span_id).toBe(SPAN);
    }
    expect(new Set(seen.map((headers) => headers.get("traceparent"))).size).toBe(4);
    expect(builtin.logged()).toContain(`"trace_id":"${TRACE}"`);
    await upstream.stop(true);
  });

  test("an ask without a valid trace has none at the agent, whatever the caller sent", async () => {
    const { agent, post } = await startModelScene({
      onAsk: ({ ask }, other) => other.say({ type: "done", ask, status: 200, body: "{}" }),
    });
    const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
    const traces: Record<string, string>[] = [
      {},
      { traceparent: `00-${TRACE}-${"0".repeat(16)}-01`, tracestate: "a=b" },
      { tracestate: "a=b" },
    ];
    for (const headers of traces)
      await post("chat/completions", body, { headers: { authorization: ADMIN_KEY, ...headers } });
    const asks = agent.frames.filter((frame) => frame.type === "ask");
    expect(asks.map(({ headers }) => headers ?? {})).toEqual([{}, {}, {}]);
  });
});
