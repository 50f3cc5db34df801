import type { BrowserContext, ConsoleMessage, Page } from "playwright-core";

export interface BrowserFaults {
  /** Ignores console errors that match, from now on. */
  allow(message: RegExp): void;
  /** Returns all faults until now, oldest first. */
  list(): Promise<readonly string[]>;
}

const VIOLATION = "reportViolation";

/**
 * Reports each violation of the content security policy, in a way that the page's own scripts cannot hide.
 */
const REPORT = `document.addEventListener("securitypolicyviolation", (event) => {
  void ${VIOLATION}(event.effectiveDirective + " blocked " + (event.blockedURI || "something") + ": " + event.sample);
});`;

/**
 * Records what no page may do, in any tab of the context: log an error, throw, send a request to another
 * origin, violate the content security policy, or crash. Must be called before the first page is opened.
 */
export async function watchFaults(context: BrowserContext, origin: string): Promise<BrowserFaults> {
  const faults: string[] = [];
  const allowed: RegExp[] = [];
  const host = new URL(origin).host;

  const onMessage = (message: ConsoleMessage) => {
    const text = `${message.text()} (${message.location().url})`;
    if (message.type() !== "error" && message.type() !== "assert") return;
    if (!allowed.some((pattern) => pattern.test(text))) faults.push(`console: ${text}`);
  };
  const onAddress = (address: string) => {
    const url = new URL(address);
    const isRemote = /^(https?|wss?|ftp):$/.test(url.protocol) && url.host !== host;
    if (isRemote) faults.push(`other host: ${address}`);
  };
  const onPage = (page: Page) => {
    page.on("websocket", (socket) => onAddress(socket.url()));
    page.on("crash", () => faults.push("the page crashed"));
  };

  context.on("console", onMessage);
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on("request", (request) => onAddress(request.url()));
  context.on("page", onPage);
  await context.exposeBinding(VIOLATION, (_source, violation: string) => {
    faults.push(`policy: ${violation}`);
  });
  await context.addInitScript(REPORT);

  return {
    allow: (pattern) => allowed.push(pattern),
    async list() {
      // Reports of a page arrive before the result of a later call.
      const pages = context.pages().filter((page) => !page.isClosed());
      await Promise.allSettled(pages.map((page) => page.evaluate("0")));
      return faults;
    },
  };
}
