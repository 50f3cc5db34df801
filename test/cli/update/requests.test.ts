import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createUpdateRequests } from "../../../src/cli/update/requests.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/durations.ts";
import { createLog } from "../../../src/log/log.ts";
import { createFakeClock } from "../../support/clock.ts";
import { tempFolder } from "../../support/store.ts";

function scene({ autoUpdate = true, random = 0 } = {}) {
  const clock = createFakeClock();
  const file = join(tempFolder(), "update");
  const lines: string[] = [];
  const log = createLog({ write: (text) => void lines.push(text) });
  const settings = { autoUpdate, updateRequest: file };
  const requests = createUpdateRequests({ settings, log, clock, random: () => random });
  const isAsked = () => existsSync(file);
  return { clock, file, lines, requests, isAsked, take: () => rmSync(file) };
}

test("a service asks for its update within hours after its start, and then once a day", () => {
  const { clock, isAsked, take } = scene({ random: 0.5 });
  clock.advance(2 * HOUR_MS);
  expect(isAsked()).toBe(false);
  clock.advance(2 * HOUR_MS);
  expect(isAsked()).toBe(true);
  take();
  clock.advance(20 * HOUR_MS);
  expect(isAsked()).toBe(false);
  clock.advance(5 * HOUR_MS);
  expect(isAsked()).toBe(true);
});

test("without --auto-update a service asks only when its server does", () => {
  const { clock, isAsked, requests } = scene({ autoUpdate: false });
  clock.advance(100 * HOUR_MS);
  expect(isAsked()).toBe(false);
  requests.ask?.("server");
  expect(isAsked()).toBe(true);
});

test("a server that asks again and again has one request in ten minutes", () => {
  const { clock, isAsked, take, requests, lines } = scene({ autoUpdate: false });
  requests.ask?.("server");
  take();
  clock.advance(9 * MINUTE_MS);
  requests.ask?.("server");
  expect(isAsked()).toBe(false);
  clock.advance(2 * MINUTE_MS);
  requests.ask?.("server");
  expect([isAsked(), lines.length]).toEqual([true, 2]);
});

test("a process outside of an installed service cannot ask, and a service asks nothing after its end", () => {
  const clock = createFakeClock();
  const log = createLog({ write: () => {} });
  const settings = { autoUpdate: true, updateRequest: undefined };
  expect(createUpdateRequests({ settings, log, clock }).ask).toBeUndefined();
  expect(clock.pending()).toBe(0);
  const ended = scene();
  ended.requests.stop();
  ended.clock.advance(100 * HOUR_MS);
  expect(ended.isAsked()).toBe(false);
});

test("a request that cannot be written is in the log", () => {
  const { file, requests, lines } = scene();
  rmSync(join(file, ".."), { recursive: true });
  requests.ask?.("server");
  expect(lines.join("")).toContain("update_request_failed");
});
