import { expect, test } from "bun:test";
import { V2Connection } from "../../src/agents/v2.ts";
import type { AgentTransport } from "../../src/protocol/agent-transport.ts";
import { createRelayBench } from "../support/relay.ts";
import { createFakeSocket, UNLIMITED } from "./fake-socket.ts";
import { HELLO, optionsOf } from "./v2-scene.ts";

const OFFERED = ["chat/completions", "rerank", "audio/speech", "images/edits"];

/** Returns the endpoints that the relay knows of an agent with this hello, and after an update with them. */
function offerOf(transport: AgentTransport, capabilities: string[]) {
  const bench = createRelayBench();
  const { socket } = createFakeSocket();
  const admitted = { address: "10.0.0.1", key: undefined, lease: UNLIMITED, transport };
  const connection = new V2Connection(optionsOf(bench), admitted);
  connection.open(socket);
  connection.receive(JSON.stringify({ ...HELLO, capabilities, endpoints: OFFERED }));
  const endpoints = () => [...bench.relay.agents()].flatMap(({ offer }) => offer.endpoints);
  const first = endpoints();
  connection.receive(JSON.stringify({ type: "update", endpoints: OFFERED.slice(1) }));
  return [first, endpoints()];
}

test("endpoints with bytes count only with the capability, and not by long-polling", () => {
  expect(offerOf("websocket", ["bytes"])).toEqual([
    ["chat/completions", "rerank", "images/edits", "audio/speech"],
    ["rerank", "images/edits", "audio/speech"],
  ]);
  for (const [first, updated] of [offerOf("websocket", []), offerOf("long-polling", ["bytes"])])
    expect([first, updated]).toEqual([["chat/completions", "rerank"], ["rerank"]]);
});
