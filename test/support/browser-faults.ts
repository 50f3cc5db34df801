import type { BrowserContext, ConsoleMessage, Page } from "playwright-core";

export interface BrowserFaults {
  /** From now on a console error that fits is none. */
  allow(message: RegExp): void;
  /** All until now, the oldest first. */
  list(): Promise<readonly string[]>;
}

const VIOLATION = "reportViolation";

/** Tells of each breach of the content security policy where the page's own scripts cannot hide it. */
const REPORT = `document.addEventListener("securitypolicyviolation", (event) => {
  void ${VIOLATION}(event.effectiveDirective + " blocked " + (event.blockedURI || "something") + ": " + event.sample);
});`;

/**
 * What no page of ours may do, in any tab of the context: log an error, throw, ask another origin for something,
 * break the content security policy, or crash. Call it before the first page is opened.
 */
export async function watchFaults(context: BrowserContext, origin: string): Promise<BrowserFaults> {
  const faults: string[] = [];
  const allowed: RegExp[] = [];
  const host = new URL(origin).host;

  const takeMessage = (message: ConsoleMessage) => {
    const text = `${message.text()} (${message.location().url})`;
    if (message.type() !== "error" && message.type() !== "assert") return;
    if (!allowed.some((pattern) => pattern.test(text))) faults.push(`console: ${text}`);
  };
  const takeAddress = (address: string) => {
    const url = new URL(address);
    const isRemote = /^(https?|wss?|ftp):$/.test(url.protocol) && url.host !== host;
    if (isRemote) faults.push(`other host: ${address}`);
  };
  const takePage = (page: Page) => {
    page.on("websocket", (socket) => takeAddress(socket.url()));
    page.on("crash", () => faults.push("the page crashed"));
  };

  context.on("console", takeMessage);
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on("request", (request) => takeAddress(request.url()));
  context.on("page", takePage);
  await context.exposeBinding(VIOLATION, (_source, violation: string) => {
    faults.push(`policy: ${violation}`);
  });
  await context.addInitScript(REPORT);

  return {
    allow: (pattern) => allowed.push(pattern),
    async list() {
      // What a page has reported arrives before the answer to a later question.
      const pages = context.pages().filter((page) => !page.isClosed());
      await Promise.allSettled(pages.map((page) => page.evaluate("0")));
      return faults;
    },
  };
}
