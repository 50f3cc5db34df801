import { compare, oneLoad } from "../compare.ts";
import { chatExchange, streamExchange } from "../exchanges.ts";
import type { Load } from "../measure.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { addUsers, anyToken, connectAgents, V2_AGENTS } from "../targets.ts";

type RowsOptions = Parameters<typeof compare>[2];

function relayed(context: Context, asked: Omit<Load, "tokenOf">, options: RowsOptions): Promise<Row[]> {
  const { workshop } = context;
  const side = async (isOurs: boolean) => {
    const target = isOurs ? await workshop.startOurs() : await workshop.startBare();
    await connectAgents(workshop, target, V2_AGENTS);
    return oneLoad(target, { ...asked, tokenOf: isOurs ? await addUsers(target) : anyToken });
  };
  return compare(context, { base: () => side(false), value: () => side(true) }, options);
}

export const DELTAS: Scenario = {
  name: "deltas",
  about: "64 streams of 200 deltas, as fast as possible",
  run: (context) =>
    relayed(
      context,
      { callers: 64, exchange: streamExchange({ deltas: 200, unit: "delta" }) },
      {
        scenario: "64 streams, saturated",
        unit: "delta",
        metrics: ["perSecond", "firstP50Ms", "cpuMicros"],
        goals: { perSecond: { of: "ratio", atLeast: 1 } },
      },
    ),
};

export const DELTAS_USAGE: Scenario = {
  name: "deltas-usage",
  about: 'deltas of an upstream that sends `"usage":null` in each one, which the caller did not request',
  run: (context) =>
    relayed(
      context,
      { callers: 64, exchange: streamExchange({ deltas: 200, usage: true, unit: "delta" }) },
      {
        scenario: "64 streams, usage removed",
        unit: "delta",
        metrics: ["perSecond", "cpuMicros"],
      },
    ),
};

export const DELTAS_PACED: Scenario = {
  name: "deltas-paced",
  about: "64 streams of 20 deltas, one every 20 ms, as a model sends them",
  run: (context) =>
    relayed(
      context,
      { callers: 64, staggerMs: 400, exchange: streamExchange({ deltas: 20, pauseMs: 20, unit: "delta" }) },
      {
        scenario: "64 streams, paced",
        unit: "delta",
        metrics: ["firstP50Ms", "cpuMicros"],
        goals: { firstP50Ms: { of: "ratio", atMost: 1.4 } },
      },
    ),
};

export const FIRST_DELTA: Scenario = {
  name: "first-delta",
  about: "one stream at a time: the time to its first delta",
  isQuick: true,
  run: (context) =>
    relayed(
      context,
      { callers: 1, exchange: streamExchange({ deltas: 4, unit: "stream" }) },
      {
        scenario: "1 stream",
        unit: "stream",
        metrics: ["firstP50Ms", "p50Ms"],
        goals: { firstP50Ms: { of: "ratio", atMost: 1.25 } },
      },
    ),
};

export const CHAT: Scenario = {
  name: "chat",
  about: "POST /v1/chat/completions over 16 v2 agents, not streamed, 32 callers",
  isQuick: true,
  run: (context) =>
    relayed(
      context,
      { callers: 32, exchange: chatExchange() },
      {
        scenario: "chat, 32 callers",
        unit: "ask",
        metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
      },
    ),
};

export const CHAT_STREAM: Scenario = {
  name: "chat-stream",
  about: "POST /v1/chat/completions over 16 v2 agents, streamed with 20 deltas, 32 callers",
  isQuick: true,
  run: (context) =>
    relayed(
      context,
      { callers: 32, exchange: streamExchange({ deltas: 20, unit: "stream" }) },
      {
        scenario: "chat streamed, 32 callers",
        unit: "stream",
        metrics: ["perSecond", "p50Ms", "firstP50Ms", "cpuMicros"],
      },
    ),
};
