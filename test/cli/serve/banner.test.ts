import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { readServerArgs } from "../../../src/cli/args.ts";
import { banner } from "../../../src/cli/serve/banner.ts";
import { describeWith } from "../../support/programs.ts";
import { tempFolder } from "../../support/store.ts";
import { HANG_MS } from "../../support/until.ts";

const ADMIN_KEY = "a-long-enough-admin-key";
const GENERATED = "generated-agent-key";
const EVERYWHERE = ["127.0.0.1", "192.168.1.5", "fd00::5"];
const TLS = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];

interface Given {
  /** The flags. */
  args?: readonly string[];
  addresses?: readonly string[];
  /** Null leaves the argument out. */
  adminKey?: string | null;
  env?: Record<string, string>;
  signInCode?: string;
  isPrivate?: boolean;
  port?: number;
}

function bannerOf({ args = [], adminKey = ADMIN_KEY, env = {}, ...given }: Given = {}): string {
  const { config, origins } = readServerArgs({
    args: ["0", ...(adminKey === null ? [] : [adminKey]), ...args],
    env,
  });
  return banner({
    ...{ config, env, adminKeyFrom: origins.adminKey, port: 4321, agentKey: config.agentKey ?? GENERATED },
    ...{ addresses: EVERYWHERE, version: "1.2.3", isPrivate: true },
    ...given,
  });
}

describe("the banner", () => {
  test("the banner has what the operator needs next", () => {
    expect(bannerOf({ args: ["--data", "some/data"], env: { ADMIN_KEY } })).toBe(`chatgpt-api-server 1.2.3

  Listening  http://127.0.0.1:4321
             http://192.168.1.5:4321
             http://[fd00::5]:4321
  Dashboard  http://127.0.0.1:4321/dashboard
  Data       ${resolve("some/data")}
  Agents     on this machine  127.0.0.1:4321/agents/generated-agent-key
             from elsewhere   192.168.1.5:4321/agents/generated-agent-key
             as a full URL    ws://192.168.1.5:4321/agents/generated-agent-key/client/register
  Model      No model yet. "Pair an agent" on the dashboard, or this, prints what to run beside a model:
             chatgpt-api-server agents pair --data ${resolve("some/data")} --port 4321
             For a model beside this server, restart with --upstream <url>. To try the server, restart with --echo.
  Try        curl http://127.0.0.1:4321/api/ask -H "Authorization: $ADMIN_KEY" -d '{"content":"Hello"}'

`);
  });

  test("the banner names the database instead of the data folder, and never its password", () => {
    const database = "postgres://me:secret-word@db.example:5433/ch%C3%A4t?password=other-word";
    const text = bannerOf({ args: ["--database", database] });
    expect(text).toContain("  Database   chät at db.example:5433 (PostgreSQL)\n");
    expect(text).not.toMatch(/secret-word|other-word| {2}Data {2}/);
    const key = "0123456789abcdef0123456789abcdef";
    const kept = bannerOf({ args: ["--database", database, "--cluster-key", key], isPrivate: false });
    expect(kept).toMatch(
      /derived from the cluster key\. With the same settings this prints the addresses with it:\n +chatgpt-api-server agents address /,
    );
    expect(kept).not.toContain(key);
  });

  test("the banner says which model there is, if the server was started with one", () => {
    expect(bannerOf({ args: ["--echo"] })).not.toContain("No model yet");
    expect(bannerOf({ args: ["--upstream", "http://localhost:11434"] })).not.toContain("No model yet");
  });

  test("the banner links to the dashboard, at the first start with the code that signs in once", () => {
    const dashboard = (given: Given) => /Dashboard +(\S+)/.exec(bannerOf(given))?.[1];
    expect(dashboard({})).toBe("http://127.0.0.1:4321/dashboard");
    expect(dashboard({ signInCode: "abc" })).toBe("http://127.0.0.1:4321/dashboard#code=abc");
    expect(dashboard({ args: TLS, addresses: ["fd00::5"], signInCode: "abc" })).toBe(
      "https://[fd00::5]:4321/dashboard#code=abc",
    );
  });

  test("the banner prints the public URL wherever people and agents elsewhere take an address from", () => {
    const text = bannerOf({ args: ["--public-url", "https://chat.example.com"], signInCode: "abc" });
    expect(text).toContain("  Listening  http://127.0.0.1:4321\n");
    expect(text).toContain("  Dashboard  https://chat.example.com/dashboard#code=abc\n");
    expect(text).toContain("  Agents     on this machine  127.0.0.1:4321/agents/generated-agent-key\n");
    expect(text).toContain("from elsewhere   https://chat.example.com/agents/generated-agent-key\n");
    expect(text).toContain("wss://chat.example.com/agents/generated-agent-key/client/register\n");
    expect(text).toContain(
      "  Try        printf 'Admin key: '; read -rs ADMIN_KEY; curl https://chat.example.com/",
    );
    const logged = bannerOf({ args: ["--public-url", "https://chat.example.com"], isPrivate: false });
    expect(logged).toMatch(/agents address .*--public-url https:\/\/chat\.example\.com\n/);
  });

  test("a public URL makes a server reachable, so that a short admin key is noted", () => {
    const given = { addresses: ["127.0.0.1"], adminKey: "short" };
    expect(bannerOf(given)).not.toContain("The admin key is short");
    expect(bannerOf({ ...given, args: ["--public-url", "https://a.example"] })).toContain(
      "The admin key is short",
    );
  });

  test("a node without a public URL notes that its addresses lead to this node alone", () => {
    const cluster = ["--nats", "nats://n", "--database", "postgres://d/d", "--cluster-key", "k".repeat(32)];
    expect(bannerOf({ args: cluster })).toContain("These addresses are those of this node alone.");
    const args = [...cluster, "--public-url", "https://a.example"];
    expect(bannerOf({ args })).not.toContain("of this node alone");
  });

  test("a banner that a log may keep has no secret, and says where the agent key is", () => {
    const text = bannerOf({ args: ["--data", "/some/data"], signInCode: "abc", isPrivate: false });
    expect(text).not.toContain(GENERATED);
    expect(text).not.toContain("abc");
    expect(text).toContain("on this machine  127.0.0.1:4321/agents/<agent key>\n");
    expect(text).toContain(join(resolve("/some/data"), "agent.key"));
    expect(text).toContain(`chatgpt-api-server agents address --data ${resolve("/some/data")} --port 4321\n`);
    const own = bannerOf({ args: ["--agent-key", "set-by-hand"], isPrivate: false });
    expect(own).not.toContain("set-by-hand");
    expect(own).toContain("The agent key is the one that you set.");
  });

  test("the banner has the address that was set if the server does not listen on loopback", () => {
    const text = bannerOf({ addresses: ["fd00::5"] });
    expect(text).not.toContain("127.0.0.1");
    expect(text).not.toContain("on this machine");
    expect(text).toContain("from elsewhere   [fd00::5]:4321/agents/generated-agent-key");
    expect(text).toContain("curl http://[fd00::5]:4321/api/ask");
  });

  test("the banner warns of agents that need no key, and shows no key if none does", () => {
    const text = bannerOf({ args: ["--agents", "open"] });
    expect(text).toContain("WARNING: --agents open");
    expect(text).not.toContain(GENERATED);
    expect(bannerOf({ args: ["--agents", "local"] })).toContain("WARNING: --agents local");
    expect(bannerOf()).not.toContain("WARNING");
  });

  test("the banner never shows the admin key, long or short", () => {
    expect(bannerOf()).not.toContain(ADMIN_KEY);
    expect(bannerOf({ adminKey: "q8z" })).not.toContain("q8z");
  });

  test("the banner advises a longer admin key if others can reach the server", () => {
    expect(bannerOf({ adminKey: "15 letters long" })).toContain("openssl rand -hex 16");
    expect(bannerOf({ adminKey: "16 letters, long" })).not.toContain("openssl");
    expect(bannerOf({ addresses: ["127.0.0.1"], adminKey: "short" })).not.toContain("openssl");
    expect(bannerOf({ addresses: ["10.0.0.1"], adminKey: "short" })).toContain("openssl");
  });
});

describeWith("curl", "the line to try", () =>
  describeWith("bash", "pasted into bash", (bash) => {
    /** Runs the line as a shell does into which it is pasted. Resolves with what the server got. */
    async function paste({ env = {}, typed = "", ...given }: Given & { typed?: string }) {
      const got: (string | null)[] = [];
      await using server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch(request) {
          got.push(new URL(request.url).pathname, request.headers.get("authorization"), await request.text());
          return new Response("answered");
        },
      });
      const text = bannerOf({ ...given, env, addresses: ["127.0.0.1"], port: server.port ?? 0 });
      const [, line = ""] = /Try +(.+)/.exec(text) ?? [];
      const child = Bun.spawn([bash, "-c", line], {
        env: { PATH: process.env["PATH"], ...env },
        stdin: new Blob([typed]),
        stdout: "pipe",
        stderr: "pipe",
        timeout: HANG_MS,
      });
      expect(await child.stdout.text()).toEndWith("answered");
      return got;
    }

    const asked = ["/api/ask", ADMIN_KEY, '{"content":"Hello"}'];

    test("the line takes the admin key from the variable that has it, even if the key was an argument", async () => {
      expect(await paste({ adminKey: null, env: { ADMIN_KEY } })).toEqual(asked);
      expect(await paste({ env: { CHATGPT_API_ADMIN_KEY: ADMIN_KEY } })).toEqual(asked);
    });

    test("the line reads the admin key from the file that has it", async () => {
      const path = join(tempFolder(), "it's a key");
      await Bun.write(path, `${ADMIN_KEY}\n`);
      expect(await paste({ adminKey: null, env: { ADMIN_KEY_FILE: path } })).toEqual(asked);
    });

    test("the line asks for an admin key that was an argument, and another one in a variable does not count", async () => {
      const env = { ADMIN_KEY: "another", ADMIN_KEY_FILE: "" };
      expect(await paste({ typed: `${ADMIN_KEY}\n`, env })).toEqual(asked);
    });
  }),
);
