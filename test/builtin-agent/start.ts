import { onTestFinished } from "bun:test";
import { BuiltinAgent, type BuiltinAgentOptions } from "../../src/builtin-agent/builtin-agent.ts";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { createHttpUpstream } from "../../src/builtin-agent/http-upstream.ts";
import type { FrameSender } from "../../src/builtin-agent/server/connection.ts";
import { readServerAddress } from "../../src/builtin-agent/server/server-address.ts";
import type { Upstream, UpstreamStatus } from "../../src/builtin-agent/upstream.ts";
import { createLog } from "../../src/log/log.ts";
import type { AgentFrame } from "../../src/protocol/agent-v2.ts";
import { agentKeyAt } from "../support/agent-key.ts";
import { type AgentConnection, type AgentServer, startAgentServer } from "../support/agent-server.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";

export interface TestBuiltinAgent extends Pick<BuiltinAgent, "ended" | "stop"> {
  /** The lines for people. */
  printed: readonly string[];
  logged(): string;
}

/** Starts a built-in agent in this process, until the test ends. An upstream that is a text is a URL. */
export function startBuiltinAgent(
  server: Pick<AgentServer, "host">,
  { upstream, ...options }: Partial<Omit<BuiltinAgentOptions, "upstream">> & { upstream: Upstream | string },
): TestBuiltinAgent {
  const printed: string[] = [];
  let logged = "";
  const write = (line: string) => {
    logged += line;
  };
  const agent = new BuiltinAgent({
    server: readServerAddress(server.host),
    agentKey: agentKeyAt(server.host),
    upstream:
      typeof upstream === "string"
        ? createHttpUpstream({ url: upstream, models: [], endpoints: [] })
        : upstream,
    name: "desk",
    version: "0.0.0",
    slots: 4,
    log: createLog({ write, level: "debug", say: (words) => printed.push(words) }),
    ...options,
  });
  const stop = (drainMs: number) => agent.stop(drainMs);
  onTestFinished(() => stop(0));
  return { ended: agent.ended, stop, printed, logged: () => logged };
}

/** Returns a sender that keeps the frames instead of sending them. */
export function collectFrames() {
  const frames: AgentFrame[] = [];
  const sender: FrameSender = {
    frameBytesMax: 1000,
    silenceMs: 8_000,
    send: (frame) => frames.push(frame) > 0,
    sendPiece: () => {},
    room: async () => {},
  };
  return { frames, sender };
}

/** An upstream whose status the test sets. */
export function createScriptedUpstream(first: UpstreamStatus) {
  let status = first;
  const upstream: Upstream = { ...createEcho(), label: "scripted", check: async () => status };
  return {
    upstream,
    set: (next: UpstreamStatus) => {
      status = next;
    },
  };
}

/** The status of an upstream that offers these models. */
export const offering = (...ids: string[]): UpstreamStatus => ({
  offer: { models: ids.map((id) => ({ id })), endpoints: ["chat/completions"] },
});

export const DOWN: UpstreamStatus = {
  problem: "it cannot be reached (connection refused)",
  unreachable: true,
};

/** The body of a chat completion. */
export function chat(model: string, question: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ model, stream: true, messages: [{ role: "user", content: question }], ...more });
}

/** The text in the deltas of an answer to it. */
export function textOf({ deltas }: Awaited<ReturnType<AgentConnection["answer"]>>): string {
  const texts = deltas.map(({ data }) =>
    data === "[DONE]" ? "" : (JSON.parse(data).choices[0]?.delta?.content ?? ""),
  );
  return texts.join("");
}

/** An agent on a fake clock, whose pauses are always the longest. */
export function connectFake(upstream: Upstream = createEcho()) {
  const clock = createFakeClock();
  const server = startAgentServer();
  const builtin = startBuiltinAgent(server, { upstream, clock, random: () => 1 });
  return { clock, server, builtin };
}

/** Returns the pauses that were printed so far, in seconds. */
export const pauses = ({ printed }: TestBuiltinAgent) =>
  printed.flatMap((line) => line.match(/reconnecting in ([\d.]+) s/)?.[1] ?? []).map(Number);

/** Resolves once this many pauses were printed. */
export async function disconnected(builtin: TestBuiltinAgent, times: number): Promise<void> {
  await until(() => pauses(builtin).length === times);
}

/** Lets the last pause pass, and returns the next connection. */
export async function reconnect(clock: FakeClock, builtin: TestBuiltinAgent, server: AgentServer) {
  const seconds = pauses(builtin).at(-1) ?? 0;
  clock.advance(seconds * 1000);
  return server.next();
}
