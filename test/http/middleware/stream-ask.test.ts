import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { EventStreamResponse } from "../../../src/http/middleware/event-stream.ts";
import { type StreamedAsk, streamAsk } from "../../../src/http/middleware/stream-ask.ts";
import { createLog } from "../../../src/log/log.ts";
import type { Signal } from "../../../src/relay/types.ts";
import { createFakeClock } from "../../support/clock.ts";
import { arrivedExchange } from "../../support/exchange.ts";

/** Streams an ask for a caller, who can leave. */
function start(run: StreamedAsk["run"]) {
  const caller = new AbortController();
  const request = new Request("http://localhost/", { signal: caller.signal });
  const exchange = arrivedExchange(request);
  let logged = "";
  const log = createLog({
    write: (line) => {
      logged += line;
    },
  });
  const fail = (error: AppError) => [{ event: "error", data: error.code }];
  const clock = createFakeClock();
  const response = streamAsk(exchange, { clock, log }, { run, fail });
  return { caller, clock, progress: exchange.progress, response, logged: () => logged };
}

test("a streamed ask that fails before its first event is rejected", async () => {
  const { response, logged, clock } = start(() => Promise.reject(new AppError("no_agent")));
  await expect(response).rejects.toThrow(new AppError("no_agent"));
  expect([logged(), clock.pending()]).toEqual(["", 0]);
});

test("a streamed ask that fails after its first event ends with an error event, and the log says so", async () => {
  const broken = Promise.withResolvers<undefined>();
  const { response, logged } = start((events) => {
    events.send("one");
    return broken.promise;
  });
  const stream = await response;
  expect(stream.status).toBe(200);
  broken.reject(new Error("unexpected"));
  expect(await stream.text()).toBe("data: one\n\nevent: error\ndata: internal\n\n");
  expect(JSON.parse(logged())).toMatchObject({
    ...{ level: "warn", event: "stream_failed", request_id: "req_1", error: "internal" },
  });
});

test("a streamed ask that an agent answers without a stream has the agent's response", async () => {
  const whole = new Response("whole", { status: 418 });
  const { response, clock } = start(async () => whole);
  expect(await response).toBe(whole);
  expect(clock.pending()).toBe(0);
});

test("a stream finishes when its ask has ended, even if its reader left before", async () => {
  const ended = Promise.withResolvers<undefined>();
  let signal: Signal | undefined;
  const { response } = start((events, given) => {
    signal = given;
    events.send("one");
    return ended.promise;
  });
  const stream = await response;
  if (!(stream instanceof EventStreamResponse)) throw new Error("not a stream");
  let isFinished = false;
  const finished = stream.stream.finished.then(() => {
    isFinished = true;
  });
  await stream.body?.cancel();
  expect([signal?.aborted, isFinished]).toEqual([true, false]);
  ended.resolve(undefined);
  await finished;
});

test("a caller who leaves before the first event cancels the ask", async () => {
  const { caller, response } = start(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new AppError("caller_gone")));
      }),
  );
  caller.abort();
  await expect(response).rejects.toThrow(new AppError("caller_gone"));
});

test("a streamed ask that fails after its first keep-alive tells the failure in the stream", async () => {
  const broken = Promise.withResolvers<undefined>();
  const { response, clock, logged } = start(() => broken.promise);
  clock.advance(15_000);
  const stream = await response;
  expect(stream.status).toBe(200);
  broken.reject(new AppError("no_agent"));
  expect(await stream.text()).toBe(": keep-alive\n\nevent: error\ndata: no_agent\n\n");
  expect(JSON.parse(logged())).toMatchObject({ event: "stream_failed", error: "no_agent" });
  expect(clock.pending()).toBe(0);
});

test("a stream tells the place of an ask that waits with each keep-alive, and then its agent", async () => {
  const done = Promise.withResolvers<undefined>();
  const { response, clock, progress } = start((events) =>
    done.promise.then(() => void events.send("answer")),
  );
  let before = 2;
  progress.onWaiting(() => before);
  clock.advance(14_999);
  expect(await Promise.race([response, "no response yet"])).toBe("no response yet");
  clock.advance(1);
  const stream = await response;
  before = 1;
  clock.advance(15_000);
  const sent = { agentId: "a1", agentName: undefined, model: "m", tries: 1, isAffine: undefined };
  progress.onSent({ ...sent, queueMs: 31_000 });
  clock.advance(15_000);
  done.resolve(undefined);
  expect(await stream.text()).toBe(
    ": queued, 2 before you\n\n: queued, 1 before you\n\n: agent=a1 queue_ms=31000\n\n: keep-alive\n\ndata: answer\n\n",
  );
});
