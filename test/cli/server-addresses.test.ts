import { describe, expect, test } from "bun:test";
import {
  agentAddressLines,
  agentsCommand,
  browserUrl,
  serverUrls,
  urlAt,
} from "../../src/cli/server-addresses.ts";
import { listenAddresses } from "../../src/net/listen-addresses.ts";
import { shellWords } from "../support/shell-words.ts";

const EVERYWHERE = ["127.0.0.1", "192.168.1.5", "fd00::5"];
/** The settings of a server that has neither a certificate nor a public address. */
const NO_NAME = { port: 8080, tlsCert: undefined, domains: undefined, publicUrl: undefined };

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
  const keyed = { agents: "keyed", ...NO_NAME } as const;

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
  const all = { ...NO_NAME, host: "10.0.0.1", tlsCert: "/c.pem", publicUrl: "https://chat.example.com" };
  expect(shellWords(agentsCommand("address", { data: "/my data", ...all }, 9))).toEqual([
    ...["chatgpt-api-server", "agents", "address", "--data", "/my data", "--port", "9"],
    ...["--host", "10.0.0.1", "--public-url", "https://chat.example.com", "--tls-cert", "/c.pem"],
  ]);
  expect(agentsCommand("address", { data: "/data", host: undefined, ...NO_NAME }, 8080)).toBe(
    "chatgpt-api-server agents address --data /data --port 8080",
  );
});

describe("the URLs of a server", () => {
  const listening = { port: 8080, addresses: EVERYWHERE };
  const config = NO_NAME;
  const isPublic = { ...config, publicUrl: "https://chat.example.com" };

  test("the public URL is the one for other machines, whatever the server listens on", () => {
    expect(serverUrls({ ...listening, config })).toEqual({
      own: "http://127.0.0.1:8080",
      elsewhere: "http://192.168.1.5:8080",
    });
    const elsewhere = "https://chat.example.com";
    const own = "http://127.0.0.1:8080";
    expect(serverUrls({ ...listening, config: isPublic })).toEqual({ own, elsewhere });
    expect(serverUrls({ ...listening, addresses: ["127.0.0.1"], config: isPublic })).toEqual({
      own,
      elsewhere,
    });
    const other = { ...listening, addresses: ["10.0.0.1"], config: isPublic };
    expect(serverUrls(other)).toEqual({ own: undefined, elsewhere });
  });

  test("a server with a domain is reached there, unless its public URL is given", () => {
    const atDomain = { ...config, port: 443, domains: ["chat.example.org", "www.example.org"] };
    const urlOf = (own: typeof atDomain) =>
      serverUrls({ ...listening, port: own.port, config: own }).elsewhere;
    expect(urlOf(atDomain)).toBe("https://chat.example.org");
    expect(urlOf({ ...atDomain, port: 8443 })).toBe("https://chat.example.org:8443");
    expect(
      serverUrls({ ...listening, config: { ...isPublic, domains: ["chat.example.org"] } }).elsewhere,
    ).toBe("https://chat.example.com");
  });

  test("a browser is sent to the public URL, and else to this machine", () => {
    expect(browserUrl({ ...listening, config: isPublic })).toBe("https://chat.example.com");
    expect(browserUrl({ ...listening, config })).toBe("http://127.0.0.1:8080");
    expect(browserUrl({ ...listening, addresses: ["fd00::5"], config })).toBe("http://[fd00::5]:8080");
  });

  test("a port that the scheme implies is left out", () => {
    expect(urlAt("fd00::5", 80, config)).toBe("http://[fd00::5]");
    expect(urlAt("127.0.0.1", 443, config)).toBe("http://127.0.0.1:443");
    expect(urlAt("127.0.0.1", 443, { ...NO_NAME, tlsCert: "cert.pem" })).toBe("https://127.0.0.1");
    expect(urlAt("127.0.0.1", 80, { ...NO_NAME, tlsCert: "cert.pem" })).toBe("https://127.0.0.1:80");
  });

  test("agents get the public URL with its scheme, and without one only if it has no TLS", () => {
    const agentKey = "k";
    const lines = (publicUrl: string) =>
      agentAddressLines({ ...listening, agentKey, config: { ...config, agents: "keyed", publicUrl } });
    expect(lines("https://chat.example.com")).toEqual([
      "on this machine  127.0.0.1:8080/agents/k",
      "from elsewhere   https://chat.example.com/agents/k",
      "as a full URL    wss://chat.example.com/agents/k/client/register",
    ]);
    expect(lines("http://chat.lan").slice(1)).toEqual([
      "from elsewhere   chat.lan:80/agents/k",
      "as a full URL    ws://chat.lan/agents/k/client/register",
    ]);
  });
});
