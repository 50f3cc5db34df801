import { expect, test } from "bun:test";
import { withWholeUrl } from "../../src/http/whole-url.ts";

/** Returns a request with a URL as the runtime makes it. */
function requestOf(url: string): Request {
  return Object.defineProperty(new Request("http://localhost"), "url", { value: url, configurable: true });
}

test.each([
  ["/health?a=1", "http://host.invalid/health?a=1"],
  ["/a/../admin?b", "http://host.invalid/admin?b"],
  ["//evil/x", "http://host.invalid//evil/x"],
  ["/", "http://host.invalid/"],
  ["a:1", "http://host.invalid/"],
  ["", "http://host.invalid/"],
])("the URL %p of a request without a valid Host is completed", (url, whole) => {
  const request = requestOf(url);
  const completed = withWholeUrl(request);
  expect(completed.url).toBe(whole);
  expect(completed).toBe(request);
});

test.each(["http://localhost/health?a=1", "https://[::1]:8080/"])("the URL %p stays as it is", (url) => {
  const request = requestOf(url);
  expect(withWholeUrl(request).url).toBe(url);
});
