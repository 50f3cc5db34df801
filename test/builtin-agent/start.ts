import { onTestFinished } from "bun:test";
import { readServerAddress } from "../../src/builtin-agent/address.ts";
import { type Bridge, type BridgeOptions, startBridge } from "../../src/builtin-agent/builtin-agent.ts";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { createHttpUpstream } from "../../src/builtin-agent/http-upstream.ts";
import type { Upstream } from "../../src/builtin-agent/upstream.ts";
import { createLog } from "../../src/log/log.ts";
import { type AgentConnection, type AgentServer, startAgentServer } from "../support/agent-server.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";

export interface TestBridge extends Bridge {
  /** What people were told, a line each. */
  told: readonly string[];
  logged(): string;
}

/** A bridge in this process, until the test ends. A text as upstream is a URL. */
export function startTestBridge(
  server: Pick<AgentServer, "host">,
  {
    upstream,
    ...options
  }: Partial<Omit<BridgeOptions, "upstream">> & { upstream: BridgeOptions["upstream"] | string },
): TestBridge {
  const told: string[] = [];
  let logged = "";
  const write = (line: string) => {
    logged += line;
  };
  const bridge = startBridge({
    server: readServerAddress(server.host),
    upstream:
      typeof upstream === "string"
        ? createHttpUpstream({ url: upstream, models: [], endpoints: [] })
        : upstream,
    name: "desk",
    version: "0.0.0",
    slots: 4,
    log: createLog({ write, level: "debug" }),
    tell: (line) => told.push(line),
    ...options,
  });
  onTestFinished(() => bridge.stop(0));
  return { ...bridge, told, logged: () => logged };
}

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

/** An agent on a fake clock, whose pauses are the longest that chance allows. */
export function connectFake(upstream: Upstream = createEcho()) {
  const clock = createFakeClock();
  const server = startAgentServer();
  const bridge = startTestBridge(server, { upstream, clock, random: () => 1 });
  return { clock, server, bridge };
}

/** The pauses told so far, in seconds. */
export const pauses = (bridge: TestBridge) =>
  bridge.told.flatMap((line) => line.match(/reconnecting in ([\d.]+) s/)?.[1] ?? []).map(Number);

/** Resolves once it has told so many pauses. */
export async function parted(bridge: TestBridge, times: number): Promise<void> {
  await until(() => pauses(bridge).length === times);
}

/** Lets the last pause pass, and gives the next connection. */
export async function comeBack(clock: FakeClock, bridge: TestBridge, server: AgentServer) {
  const seconds = pauses(bridge).at(-1) ?? 0;
  clock.advance(seconds * 1000);
  return server.next();
}
