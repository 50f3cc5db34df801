import { expect, onTestFinished, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { makeCertificate } from "../support/certificate.ts";
import { createFakeClock } from "../support/clock.ts";
import { disconnected, startBuiltinAgent } from "./start.ts";

/** Returns what an agent says of the server at the address when it cannot connect. */
async function reasonFor(address: string): Promise<string> {
  const options = { upstream: createEcho(), clock: createFakeClock(), random: () => 1 };
  const builtin = startBuiltinAgent({ host: address }, options);
  await disconnected(builtin, 1);
  const [line = ""] = builtin.printed;
  return line.replace(/^\S+: /, "").replace(/; reconnecting in .*$/, "");
}

function serve(status: number, tls?: { cert: string; key: string }): number {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls && { tls }),
    fetch: () => new Response("no", { status }),
  });
  onTestFinished(() => server.stop(true));
  return server.port ?? 0;
}

test.each([200, 301, 404, 405])(
  "an agent asks whether what answers %d is a server of this kind",
  async (status) => {
    expect(await reasonFor(`127.0.0.1:${serve(status)}`)).toBe(
      `refused (${status}). Is that a chatgpt-api-server? Check the address`,
    );
  },
);

test("an agent does not take a server that is busy for another program", async () => {
  expect(await reasonFor(`127.0.0.1:${serve(503)}`)).toBe("refused (503)");
});

test("an agent says that a port does not speak TLS", async () => {
  expect(await reasonFor(`https://127.0.0.1:${serve(404)}`)).toBe(
    "does not speak TLS on this port; use http:// in its address, or its TLS port",
  );
});

test("an agent says how to trust a certificate", async () => {
  const { cert, key } = await makeCertificate("one.example");
  const port = serve(404, { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") });
  expect(await reasonFor(`https://127.0.0.1:${port}`)).toContain("NODE_EXTRA_CA_CERTS");
});

test("an agent says that a host is unknown", async () => {
  expect(await reasonFor("no-such-host.invalid:8080")).toBe("cannot be reached (unknown host)");
});
