import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { readServerArgs } from "../../src/cli/args.ts";
import { banner, listenAddresses } from "../../src/cli/banner.ts";

const ADMIN_KEY = "a-long-enough-admin-key";
const GENERATED = "generated-agent-key";
const EVERYWHERE = ["127.0.0.1", "192.168.1.5", "fd00::5"];

function bannerOf(args: readonly string[], addresses: readonly string[], adminKey = ADMIN_KEY): string {
  const { config } = readServerArgs({ args: ["0", adminKey, ...args], env: {} });
  return banner({ config, port: 4321, agentKey: config.agentKey ?? GENERATED, addresses, version: "1.2.3" });
}

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

describe("the banner", () => {
  test("the banner has what the operator needs next", () => {
    expect(bannerOf(["--data", "some/data"], EVERYWHERE)).toBe(`chatgpt-api-server 1.2.3

  Listening  http://127.0.0.1:4321
             http://192.168.1.5:4321
             http://[fd00::5]:4321
  Dashboard  http://127.0.0.1:4321/dashboard
  Data       ${resolve("some/data")}
  Agents     on this machine  127.0.0.1:4321
             from elsewhere   192.168.1.5:4321/agents/generated-agent-key
             as a full URL    ws://192.168.1.5:4321/agents/generated-agent-key/client/register
  Try        curl http://127.0.0.1:4321/api/ask -H "Authorization: $ADMIN_KEY" -d '{"content":"Hello"}'

`);
  });

  test("the banner links to the dashboard, at the first start with the code that signs in once", () => {
    const dashboard = (args: readonly string[], addresses: readonly string[], signInCode?: string) => {
      const { config } = readServerArgs({ args: ["0", ADMIN_KEY, ...args], env: {} });
      const text = banner({
        ...{ config, port: 4321, agentKey: GENERATED, addresses, version: "1.2.3", signInCode },
      });
      return /Dashboard +(\S+)/.exec(text)?.[1];
    };
    expect(dashboard([], EVERYWHERE)).toBe("http://127.0.0.1:4321/dashboard");
    expect(dashboard([], EVERYWHERE, "abc")).toBe("http://127.0.0.1:4321/dashboard#code=abc");
    const tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    expect(dashboard(tls, ["fd00::5"], "abc")).toBe("https://[fd00::5]:4321/dashboard#code=abc");
  });

  test("the address for local agents has the key only if the key was set, as only then they need it", () => {
    const line = (args: readonly string[]) =>
      bannerOf(args, ["127.0.0.1"]).match(/on this machine +(\S+)/)?.[1];
    expect(line([])).toBe("127.0.0.1:4321");
    expect(line(["--agent-key", "set-by-hand"])).toBe("127.0.0.1:4321/agents/set-by-hand");
  });

  test("the banner of a server that only this machine can reach has no agent key", () => {
    const text = bannerOf([], ["127.0.0.1"]);
    expect(text).not.toContain(GENERATED);
    expect(text).toContain("ws://127.0.0.1:4321/client/register");
    expect(text).not.toContain("from elsewhere");
  });

  test("the banner has the address that was set if the server does not listen on loopback", () => {
    const text = bannerOf([], ["fd00::5"]);
    expect(text).not.toContain("127.0.0.1");
    expect(text).not.toContain("on this machine");
    expect(text).toContain("from elsewhere   [fd00::5]:4321/agents/generated-agent-key");
    expect(text).toContain("curl http://[fd00::5]:4321/api/ask");
  });

  test("the banner warns of open agents, and shows no key for them", () => {
    const text = bannerOf(["--agents", "open"], EVERYWHERE);
    expect(text).toContain("WARNING: --agents open");
    expect(text).not.toContain(GENERATED);
    expect(bannerOf([], EVERYWHERE)).not.toContain("WARNING");
  });

  test("the banner never shows the admin key, long or short", () => {
    expect(bannerOf([], EVERYWHERE)).not.toContain(ADMIN_KEY);
    expect(bannerOf([], EVERYWHERE, "q8z")).not.toContain("q8z");
  });

  test("the banner advises a longer admin key if others can reach the server", () => {
    expect(bannerOf([], EVERYWHERE, "15 letters long")).toContain("openssl rand -hex 16");
    expect(bannerOf([], EVERYWHERE, "16 letters, long")).not.toContain("openssl");
    expect(bannerOf([], ["127.0.0.1"], "short")).not.toContain("openssl");
    expect(bannerOf([], ["10.0.0.1"], "short")).toContain("openssl");
  });
});
