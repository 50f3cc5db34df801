import { onTestFinished } from "bun:test";
import { join } from "node:path";
import {
  type DomainCertificate,
  type DomainCertificateOptions,
  openDomainCertificate,
} from "../../src/acme/domain-certificate.ts";
import { listenHttp } from "../../src/acme/http-listener.ts";
import { createLog } from "../../src/log/log.ts";
import { type Behavior, startTestCa, type TestCa } from "../support/acme/test-ca.ts";
import { createFakeClock, type FakeClock } from "../support/clock.ts";
import { freePort } from "../support/own-postgres.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

export const DOMAIN = "chat.example.com";

/** Listens for the checks of an authority on a free port. */
export function listenForChecks() {
  const http = listenHttp({
    ...{ port: 0, host: "127.0.0.1", domains: [DOMAIN], originOf: (domain: string) => `https://${domain}` },
    cannotListen: (cause) => cause as Error,
  });
  onTestFinished(() => http.stop());
  return http;
}

export interface CertificateScene {
  ca: TestCa;
  clock: FakeClock;
  folder: string;
  /** Returns the lines of the log so far. */
  logged(): string;
  /** Opens the certificate as a starting server does. It is stopped when the test ends. */
  open(more?: Partial<DomainCertificateOptions>): Promise<DomainCertificate>;
  /** Begins to renew. */
  start(certificate: DomainCertificate): void;
  /** Returns how many certificates were replaced since the start. */
  replaced(): number;
  /** Lets time pass in steps, each of which ends when no order is running. */
  pass(ms: number, steps?: number): Promise<void>;
  /** Lets time pass in such steps until it is so. */
  passUntil(stepMs: number, isSo: () => boolean): Promise<void>;
}

/** An authority, and an empty folder for certificates. */
export async function certificateScene(behavior: Partial<Behavior> = {}): Promise<CertificateScene> {
  const clock = createFakeClock(Date.now());
  const ca = await startTestCa({ httpPort: 0, now: clock.now, ...behavior });
  const folder = join(tempFolder(), "acme");
  let logged = "";
  const log = createLog({
    write: (line) => {
      logged += line;
    },
    level: "debug",
  });
  let replaced = 0;
  let begun = 0;
  const count = (event: string) => logged.split(`"event":"${event}"`).length - 1;
  const isOrdering = () =>
    count("certificate_ordering") - begun > replaced + count("certificate_order_failed");
  const step = async (ms: number) => {
    clock.advance(ms);
    await Bun.sleep(3);
    while (isOrdering()) {
      clock.advance(0);
      await Bun.sleep(1);
    }
  };
  return {
    ...{ ca, clock, folder },
    logged: () => logged,
    replaced: () => replaced,
    start: (certificate) => certificate.start(() => replaced++),
    async open(more = {}) {
      const http = { port: await freePort(), host: "127.0.0.1" };
      ca.behavior.httpPort = http.port;
      const opening = openDomainCertificate({
        ...{ domains: [DOMAIN], directory: ca.directory, email: undefined, externalAccount: undefined },
        ...{ userAgent: "test", fetch: ca.fetch, folder, log, clock, random: () => 0.5, pollEveryMs: 0 },
        http: { ...http, originOf: (domain) => `https://${domain}`, cannotListen: (cause) => cause as Error },
        ...more,
      });
      let isOpen = false;
      const settle = () => {
        isOpen = true;
      };
      opening.then(settle, settle);
      while (!isOpen) {
        clock.advance(0);
        await Bun.sleep(1);
      }
      begun = count("certificate_ordering") - replaced - count("certificate_order_failed");
      const certificate = await opening;
      onTestFinished(() => certificate.stop());
      return certificate;
    },
    async pass(ms, steps = 20) {
      for (let left = steps; left > 0; left--) await step(ms / steps);
    },
    async passUntil(stepMs, isSo) {
      await until(async () => {
        if (!isSo()) await step(stepMs);
        return isSo();
      });
    },
  };
}
