import { expect, onTestFinished, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility, violationsOf } from "../support/browser-accessibility.ts";
import { rejectionOf } from "../support/sdks.ts";
import { tempFolder } from "../support/store.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src-elem 'unsafe-inline'",
  "connect-src 'self' http://elsewhere.test ws://elsewhere.test",
  "require-trusted-types-for 'script'",
].join("; ");

/** Expressions that do what no page may do, and how it is reported. */
const MISDEEDS: [expression: string, reported: RegExp][] = [
  ["console.error('some trouble')", /console: some trouble/],
  ["fetch('/missing')", /console: .*404.*\/missing/],
  ["new Promise((done) => setTimeout(() => { done(); throw new Error('oops'); }))", /uncaught: .*oops/],
  ["void Promise.reject(new Error('alas'))", /uncaught: .*alas/],
  ["fetch('http://elsewhere.test/x')", /other host: http:\/\/elsewhere\.test\/x/],
  [
    "new Promise((done) => { new WebSocket('ws://elsewhere.test/y').onclose = done; })",
    /other host: ws:\/\/elsewhere\.test\/y/,
  ],
  ["fetch('http://third.test/')", /policy: connect-src blocked http:\/\/third\.test/],
  ["document.body.setAttribute('style', 'top: 0')", /policy: style-src-attr blocked/],
  [
    "Promise.resolve().then(() => document.body.setAttribute('onclick', '1'))",
    /policy: (script-src-attr|require-trusted-types-for) blocked/,
  ],
];

/** Opens a tab, and does the misdeed there. */
const TAB = "if (opener) { console.error('from the tab'); opener.finish(); } else open(location)";

const FINISH = `function finish() {
  document.body.append(Object.assign(document.createElement("p"), { textContent: "finished" }));
}`;

/**
 * Starts a server with one page per script, at `/<index>`, and nothing at `/missing`. Returns its address.
 */
function serve(scripts: readonly string[], body = "<main><h1>A page</h1></main>") {
  const html = { "content-type": "text/html", "content-security-policy": POLICY };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const [, name = "0", isScript] = new URL(request.url).pathname.match(/^\/(\w+)(\.js)?$/) ?? [];
      if (name === "missing") return new Response("", { status: 404 });
      const script = `${scripts[Number(name)]}\n${FINISH}`;
      if (isScript) return new Response(script, { headers: { "content-type": "text/javascript" } });
      const page = `<!doctype html><html lang="en"><title>A page</title><body>${body}<script src="/${name}.js"></script>`;
      return new Response(page, { headers: html });
    },
  });
  onTestFinished(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

/** Writes a test file. Each test opens one of the pages and waits until its script has finished. */
function writeTests(url: string, names: readonly string[]): string {
  const path = join(tempFolder(), "pages.test.ts");
  const support = JSON.stringify(join(import.meta.dir, "../support/browser.ts"));
  const lines = names.map(
    (name, index) =>
      `test(${JSON.stringify(name)}, async () => {
        const page = await browser.open("${url}/${index}");
        await page.getByText("finished").waitFor();
      });`,
  );
  const head = `import { test } from "bun:test";\nimport { useBrowser } from ${support};\nconst browser = useBrowser();`;
  writeFileSync(path, [head, ...lines].join("\n"));
  return path;
}

/** Runs a test file. Returns the output and the result of each test by its name. */
async function run(path: string): Promise<Map<string, string>> {
  const env = { ...process.env, NO_COLOR: "1" };
  const child = Bun.spawn([process.execPath, "test", path], { env, stdout: "ignore", stderr: "pipe" });
  const output = (await child.stderr.text()).matchAll(/(.*?)^\((pass|fail)\) (.*?) \[/gms);
  return new Map([...output].map(([, errors, result, name = ""]) => [name, `${errors}${result}`]));
}

inBrowser("dashboard: test support", (browser) => {
  test("a browser test fails for each misdeed of its pages, and for nothing else", async () => {
    const url = serve([
      "console.warn('no error'); location.hash = 'x'; fetch('/other').then(finish);",
      `Promise.allSettled([${MISDEEDS.map(([expression]) => expression).join(", ")}]).then(finish);`,
      TAB,
    ]);
    const results = await run(writeTests(url, ["well-behaved", "all misdeeds", "in a tab"]));
    expect(results.get("well-behaved")).not.toContain("error:");
    expect(results.get("well-behaved")).toEndWith("pass");
    for (const [, pattern] of MISDEEDS) expect(results.get("all misdeeds")).toMatch(pattern);
    expect(results.get("all misdeeds")).toEndWith("fail");
    expect(results.get("in a tab")).toMatch(/console: from the tab(.|\n)*fail$/);
  });

  test("a console error that a test allows does not fail the test", async () => {
    const page = await browser.open(serve(["onclick = () => fetch('/missing')"]));
    browser.allow(/404/);
    const answered = page.waitForResponse(/missing/);
    await page.locator("h1").click();
    expect((await answered).status()).toBe(404);
  });

  test("each page opens with empty cookies and storage", async () => {
    const url = serve(["document.cookie = 'a=b'; localStorage.setItem('c', 'd');", ""]);
    await browser.open(`${url}/0`);
    const other = await browser.open(`${url}/1`);
    expect(await other.evaluate("[document.cookie, localStorage.length]")).toEqual(["", 0]);
  });

  test("axe-core runs in spite of the content security policy, and finds only real violations", async () => {
    const good = await browser.open(serve([""], "<main><h1>A page</h1><button>Go</button></main>"));
    await checkAccessibility(good);
    const bad = await browser.open(
      serve(
        [""],
        "<style>.pale { color: #ccc }</style><main><h1>A page</h1><button></button><p class='pale'>pale</p></main>",
      ),
    );
    const found = (await violationsOf(bad)).map((line) => line.split(":")[0]);
    expect(found.sort()).toEqual(["button-name", "color-contrast"]);
  });

  test.each([
    [
      "too pale in dark mode only",
      "@media (prefers-color-scheme: dark) { p { color: #ccc } }",
      /desktop, dark(.|\n)*phone, dark/,
    ],
    ["too wide for a phone", "p { width: 400px }", /phone, dark(.|\n)*48 pixels wider/],
  ])("a page that is %s fails the accessibility check", async (_name, style, reported) => {
    const body = `<meta name="viewport" content="width=device-width"><style>${style}</style><main><h1>A page</h1><p>text</p></main>`;
    const page = await browser.open(serve([""], body));
    await shows(page.getByText("text"));
    expect(String(await rejectionOf(checkAccessibility(page)))).toMatch(reported);
  });
});
