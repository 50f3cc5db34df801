import { expect, test } from "bun:test";
import { usesProxy } from "../../src/net/environment-proxy.ts";

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
])("a request for %s with %j uses a proxy: %p", (url, env, expected) => {
  expect(usesProxy(url, env)).toBe(expected);
});
