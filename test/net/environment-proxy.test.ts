import { expect, test } from "bun:test";
import { proxyFor, proxySecrets, usesProxy } from "../../src/net/environment-proxy.ts";

const PROXY = "http://proxy.example:3128";

test.each<[string, Record<string, string>, boolean]>([
  ["http://gpu.example/v1", {}, false],
  ["http://gpu.example/v1", { HTTP_PROXY: PROXY }, true],
  ["http://gpu.example/v1", { http_proxy: PROXY }, true],
  ["http://gpu.example/v1", { ALL_PROXY: PROXY }, true],
  ["http://gpu.example/v1", { HTTPS_PROXY: PROXY }, false],
  ["https://gpu.example/v1", { HTTPS_PROXY: PROXY }, true],
  ["http://127.0.0.1:11434", { HTTP_PROXY: PROXY }, false],
  ["http://localhost:11434", { HTTP_PROXY: PROXY }, false],
  ["http://gpu.example/v1", { HTTP_PROXY: PROXY, NO_PROXY: "gpu.example" }, false],
  ["http://gpu.example:80/v1", { HTTP_PROXY: PROXY, NO_PROXY: "a, .example" }, false],
  ["http://gpu.example:81/v1", { HTTP_PROXY: PROXY, NO_PROXY: "gpu.example:81" }, false],
  ["http://gpu.example/v1", { HTTP_PROXY: PROXY, NO_PROXY: "*" }, false],
  ["http://gpu.example/v1", { HTTP_PROXY: PROXY, NO_PROXY: "pu.example," }, true],
  ["ws://gpu.example", { HTTP_PROXY: PROXY }, true],
  ["wss://gpu.example", { HTTP_PROXY: PROXY }, false],
  ["wss://gpu.example", { https_proxy: PROXY }, true],
  ["ws://[::1]:8080", { HTTP_PROXY: PROXY }, false],
  ["http://gpu.example", { HTTP_PROXY: "socks5://proxy.example" }, false],
  ["http://gpu.example:81/v1", { HTTP_PROXY: PROXY, NO_PROXY: "gpu.example:82" }, true],
  ["http://gpu.example/v1", { HTTP_PROXY: PROXY, NO_PROXY: "gpu.example:80" }, false],
  ["http://a.gpu.example", { HTTP_PROXY: PROXY, NO_PROXY: "x *.gpu.example" }, false],
  ["http://10.1.2.3", { HTTP_PROXY: PROXY, NO_PROXY: "10.0.0.0/8" }, false],
  ["http://11.1.2.3", { HTTP_PROXY: PROXY, NO_PROXY: "10.0.0.0/8" }, true],
  ["http://10.1.2.3", { HTTP_PROXY: PROXY, NO_PROXY: "10.1.2.3:80" }, false],
  ["http://110.1.2.3", { HTTP_PROXY: PROXY, NO_PROXY: "10.1.2.3, 10.0.0.0/99, 10.0.0.0/x" }, true],
  ["http://[fd00::2]", { HTTP_PROXY: PROXY, NO_PROXY: "fd00::/8" }, false],
  ["http://[fd00::2]:81", { HTTP_PROXY: PROXY, NO_PROXY: "[fd00::2]:81" }, false],
])("a request for %s with %j uses a proxy: %p", (url, env, expected) => {
  expect(usesProxy(url, env)).toBe(expected);
});

test("a proxy is shown without its user and password, and needs no scheme", () => {
  const env = { HTTP_PROXY: "user:p%40ss@proxy.example:3128" };
  expect(proxyFor("ws://server.example", env)).toEqual({
    url: "http://user:p%40ss@proxy.example:3128/",
    label: "http://proxy.example:3128",
    variable: "HTTP_PROXY",
  });
  expect(proxySecrets(env)).toEqual(["p%40ss", "p@ss"]);
});
