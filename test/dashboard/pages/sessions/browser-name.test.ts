import { expect, test } from "bun:test";
import { browserName } from "../../../../src/dashboard/pages/sessions/browser-name.ts";

/** From https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/User-Agent. */
const EXAMPLES: Record<string, [string | undefined, string | undefined]> = {
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0": ["Firefox", "Windows"],
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36": [
    "Chrome",
    "Linux",
  ],
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 OPR/38.0":
    ["Opera", "Linux"],
  "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0":
    ["Edge", "Windows"],
  "Mozilla/5.0 (iPhone; CPU iPhone OS 13_5 like Mac OS X) AppleWebKit/605.1 (KHTML) Version/13.1 Safari/604.1":
    ["Safari", "iPhone"],
  "curl/8.5.0": ["curl", undefined],
  "Bun/1.4.5": [undefined, undefined],
};

test.each(Object.entries(EXAMPLES))(
  "the browser and the system are read from %s",
  (userAgent, [browser, system]) => {
    expect(browserName(userAgent)).toEqual({ browser, system });
  },
);
