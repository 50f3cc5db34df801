import { V2Connection, type V2Options } from "../../src/agents/v2.ts";
import type { AgentKey } from "../../src/auth/agent-keys.ts";
import { createResume } from "../../src/auth/resume.ts";
import type { ServerFrame } from "../../src/protocol/agent-v2.ts";
import { createRelayBench, type RelayBench } from "../support/relay.ts";
import { createFakeSocket, UNLIMITED } from "./fake-socket.ts";

export const HELLO = {
  type: "hello",
  name: "box",
  version: "1",
  slots: 2,
  models: [{ id: "m" }],
  endpoints: ["chat/completions"],
};
export const RESUME = createResume("agent key");

type Frame<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

/** Returns the options of a connection to the relay of the bench. */
export const optionsOf = ({ relay, clock }: Pick<RelayBench, "relay" | "clock">): V2Options => ({
  ...{ relay, clock, newId: () => crypto.randomUUID(), helloWithinMs: 10_000, version: "9.9.9" },
  ...{ frameBytesMax: 1000, silenceMs: 60_000, resume: RESUME },
});

export function connect(
  bench = createRelayBench(),
  { address = "10.0.0.1", key }: { address?: string; key?: AgentKey } = {},
) {
  const { socket, sent, closed } = createFakeSocket<ServerFrame>();
  const connection = new V2Connection(optionsOf(bench), {
    address,
    key,
    lease: UNLIMITED,
    transport: "websocket",
  });
  connection.open(socket);
  const say = (frame: unknown) =>
    connection.receive(typeof frame === "string" ? frame : JSON.stringify(frame));
  const last = <Type extends ServerFrame["type"]>(type: Type) =>
    sent.findLast((frame): frame is Frame<Type> => frame.type === type) as Frame<Type>;
  return { ...bench, connection, sent, closed, say, last };
}

export function register(bench?: ReturnType<typeof createRelayBench>, hello: object = HELLO) {
  const agent = connect(bench);
  agent.say(hello);
  return agent;
}
