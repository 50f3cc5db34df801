import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connectErrorTexts, fileErrorText } from "../src/system-error.ts";
import { failureOf, tempFolder } from "./support/store.ts";

test("a known error of the system is described in words that say what to do", async () => {
  const folder = tempFolder();
  const errors = [`${folder}/absent`, folder, `${folder}/${"x".repeat(300)}`].map((path) =>
    failureOf(() => readFileSync(path)),
  );
  expect((await Promise.all(errors)).map((error) => fileErrorText(error))).toEqual([
    "It does not exist. Check the path.",
    "It is a folder. Move it away, or choose another path.",
    "Its path is too long. Choose a shorter one.",
  ]);
});

test("an unknown error keeps its text, in one line, unless there is a better one", () => {
  expect(fileErrorText(new Error("a\nb"))).toBe("a b");
  expect(fileErrorText("thrown text")).toBe("thrown text");
  expect(fileErrorText(undefined)).toBe("undefined");
  expect(fileErrorText(new Error("/path"), "Check it.")).toBe("Check it.");
});

test("a failed connection is described in words that say what to do, never with the name of an error", async () => {
  const reason = (code: string) => connectErrorTexts(Object.assign(new Error("x"), { code })).words;
  expect(reason("ECONNREFUSED")).toBe("cannot be reached (connection refused)");
  expect(reason("DEPTH_ZERO_SELF_SIGNED_CERT")).toContain("NODE_EXTRA_CA_CERTS");
  expect(reason("EPROTO")).toContain("use http://");
  expect(reason("ERR_TLS_CERT_ALTNAME_INVALID")).toContain("another host name");
  expect(reason("ERR_PROXY_TUNNEL")).toContain("HTTPS_PROXY");
  expect(reason("ZlibError")).toContain("Content-Encoding");
  expect(reason("ENEW")).toBe("cannot be reached (ENEW)");
  expect(connectErrorTexts(AbortSignal.abort().reason).reason).toBe("AbortError");
  expect(connectErrorTexts(undefined).reason).toBe("unknown error");
});

test("an answer that is not of HTTP is described in words, never with the name of the runtime's error", async () => {
  const head = "HTTP/1.1 200 OK\r\n";
  const answers = [
    "SSH-2.0-OpenSSH_9.6\r\n",
    `${head}transfer-encoding: chunked\r\n\r\nzzzz\r\nx`,
    `${head}transfer-encoding: foo\r\n\r\nhello`,
    `${head}content-length: -5\r\n\r\nhello`,
  ];
  for (const answer of answers) {
    const server = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: { data: (socket) => void socket.end(answer) },
    });
    const read = async () => (await fetch(`http://127.0.0.1:${server.port}`, { proxy: "" })).text();
    expect(connectErrorTexts(await failureOf(read)).reason).toBe("it does not answer in HTTP");
    server.stop(true);
  }
});

test("the runtime's own errors of connections are known", async () => {
  const plain = Bun.serve({ port: 0, fetch: () => new Response() });
  const cut = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (s) => void s.end(), data() {} },
  });
  const urls = [
    `https://localhost:${plain.port}`,
    `http://127.0.0.1:${cut.port}`,
    "http://127.0.0.1:1",
    "http://no-such-host.invalid",
  ];
  const errors = await Promise.all(urls.map((url) => failureOf(() => fetch(url, { proxy: "" }))));
  await plain.stop(true);
  cut.stop(true);
  expect(errors.map((error) => connectErrorTexts(error).reason)).toEqual([
    "it does not speak TLS",
    "connection reset",
    "connection refused",
    "unknown host",
  ]);
});
