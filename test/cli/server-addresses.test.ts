import { describe, expect, test } from "bun:test";
import { addressCommand, agentAddressLines, listenAddresses } from "../../src/cli/server-addresses.ts";
import { shellWords } from "../support/shell-words.ts";

const EVERYWHERE = ["127.0.0.1", "192.168.1.5", "fd00::5"];

describe("the addresses of a server", () => {
  const interfaces = {
    lo: [
      { address: "127.0.0.1", internal: true },
      { address: "::1", internal: true },
    ],
    eth0: [
      { address: "fd00::5", internal: false },
      { address: "fe80::5", internal: false },
      { address: "192.168.1.5", internal: false },
    ],
    gone: undefined,
  };

  test("the addresses are loopback and then those of the network, without link-local ones", () => {
    expect(listenAddresses(undefined, interfaces)).toEqual(EVERYWHERE);
    expect(listenAddresses("::", interfaces)).toEqual(EVERYWHERE);
    expect(listenAddresses("0.0.0.0", interfaces)).toEqual(["127.0.0.1", "192.168.1.5"]);
  });

  test("the only address is the one that was set", () => {
    expect(listenAddresses("192.168.1.5", interfaces)).toEqual(["192.168.1.5"]);
  });
});

describe("the addresses for agents", () => {
  const server = { port: 8080, agentKey: "k", addresses: EVERYWHERE };
  const keyed = { agents: "keyed", tlsCert: undefined, domains: undefined } as const;

  test("every address has the key, also the one for agents on this machine", () => {
    const lines = [
      "on this machine  127.0.0.1:8080/agents/k",
      "from elsewhere   192.168.1.5:8080/agents/k",
      "as a full URL    ws://192.168.1.5:8080/agents/k/client/register",
    ];
    expect(agentAddressLines({ ...server, config: keyed })).toEqual(lines);
    // A key is accepted there too, and agents that send `Origin: null` need it.
    expect(agentAddressLines({ ...server, config: { ...keyed, agents: "local" } })).toEqual(lines);
  });

  test("with --agents open no address has a key", () => {
    expect(agentAddressLines({ ...server, config: { ...keyed, agents: "open" } }).join()).not.toContain(
      "agents",
    );
  });

  test("under TLS every address has a scheme that uses TLS", () => {
    expect(agentAddressLines({ ...server, config: { ...keyed, tlsCert: "cert.pem" } })).toEqual([
      "on this machine  https://127.0.0.1:8080/agents/k",
      "from elsewhere   https://192.168.1.5:8080/agents/k",
      "as a full URL    wss://192.168.1.5:8080/agents/k/client/register",
    ]);
  });

  test("a server on one address has that one only, with IPv6 in brackets", () => {
    expect(agentAddressLines({ ...server, addresses: ["127.0.0.1"], config: keyed })).toEqual([
      "on this machine  127.0.0.1:8080/agents/k",
      "as a full URL    ws://127.0.0.1:8080/agents/k/client/register",
    ]);
    expect(agentAddressLines({ ...server, addresses: ["fd00::5"], config: keyed })).toEqual([
      "from elsewhere   [fd00::5]:8080/agents/k",
      "as a full URL    ws://[fd00::5]:8080/agents/k/client/register",
    ]);
  });
});

test("the command that prints the addresses names the settings that they come from", () => {
  const command = addressCommand(
    { data: "/my data", host: "10.0.0.1", tlsCert: "/c.pem", domains: undefined },
    9,
  );
  expect(shellWords(command)).toEqual([
    ...["chatgpt-api-server", "agents", "address", "--data", "/my data", "--port", "9"],
    ...["--host", "10.0.0.1", "--tls-cert", "/c.pem"],
  ]);
  expect(
    addressCommand({ data: "/data", host: undefined, tlsCert: undefined, domains: undefined }, 8080),
  ).toBe("chatgpt-api-server agents address --data /data --port 8080");
});
