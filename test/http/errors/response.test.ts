import { expect, test } from "bun:test";
import { createFailedKeys } from "../../../src/auth/failed-keys.ts";
import { createConcurrencyLimit } from "../../../src/auth/limits/concurrency.ts";
import { AppError, ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { type AppDeps, createApp } from "../../../src/http/app.ts";
import { referenceStyle } from "../../../src/http/errors/reference.ts";
import { errorResponse } from "../../../src/http/errors/response.ts";
import type { BunServer } from "../../../src/http/exchange.ts";
import { AccessControl } from "../../../src/http/middleware/access.ts";
import { createClientAddresses } from "../../../src/http/middleware/client-address.ts";
import { createStrangerShare } from "../../../src/http/middleware/stranger-share.ts";
import { createLog } from "../../../src/log/log.ts";
import { createOwnHosts } from "../../../src/net/host.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

test("an unexpected error tells the caller nothing of its cause, and the log all of it", async () => {
  let logged = "";
  const log = createLog({
    write: (line) => {
      logged += line;
    },
  });
  const broken = () => {
    throw new Error("the disk is at /secret/place");
  };
  const accessControl = new AccessControl({
    addresses: createClientAddresses(undefined),
    isOwnHost: createOwnHosts([]),
    failedKeys: createFailedKeys({ max: () => 1, elapsedMs: () => 0 }),
    requests: createConcurrencyLimit({ addressMax: () => 1 }),
    strangers: createStrangerShare({ addressMax: 1, allMax: 1, bytesMax: 1 }),
    log,
  });
  const nothing: unknown = new Proxy(() => {}, { get: () => nothing, apply: () => nothing });
  const pipeline = { authenticate: { admin: broken }, bodyLimits: { bodiesBytesMax: 1 } };
  const app = createApp({
    log,
    newRequestId: () => "req_id",
    metrics: { requestAnswered() {} },
    accessControl,
    pipeline,
    resources: nothing,
  } as unknown as AppDeps);
  const request = new Request("http://localhost/admin/users", { headers: { host: "localhost" } });
  const server = { requestIP: () => null, timeout() {} } as unknown as BunServer;
  const response = await app.fetch(request, server);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('{"error":"Internal server error"}');
  expect(response.headers.get("x-request-id")).toBe("req_id");
  expect(logged).toContain("the disk is at /secret/place");
});

test.each(codes)("the error %s becomes a response with its text and nothing internal", async (code) => {
  const error = new AppError(code, { detail: "internal detail", cause: new Error("internal cause") });
  const response = errorResponse(error, referenceStyle, "id");
  expect(response.status).toBe(ERRORS[code].status);
  const text = await response.text();
  expect(JSON.parse(text).error).toBe(ERRORS[code].message);
  expect(text).not.toContain("internal");
});

test("the keys of an error body are sorted, as the Go server's are", async () => {
  const error = new AppError("agent_lost", { hint: "h", extra: { response: {}, err: "e" } });
  expect(await errorResponse(error, referenceStyle, "id").text()).toBe(
    '{"err":"e","error":"Failed to read response from the client","hint":"h","response":{}}',
  );
});

test("every 503 and 429 says when to retry, in whole seconds up to 60", () => {
  for (const code of codes.filter((name) => ERRORS[name].status === 503 || ERRORS[name].status === 429)) {
    const value = errorResponse(new AppError(code), referenceStyle, "id").headers.get("retry-after");
    expect(value, code).toMatch(/^\d+$/);
    expect(Number(value), code).toBeLessThanOrEqual(60);
  }
});

test("every error code is documented with its status and text", async () => {
  const docs = await Bun.file(new URL("../../../docs/api.md", import.meta.url)).text();
  for (const code of codes) {
    const row = docs.split("\n").find((line) => line.startsWith(`| \`${code}\``));
    expect(row, code).toBeDefined();
    expect(row, code).toContain(String(ERRORS[code].status));
    expect(row, code).toContain(ERRORS[code].message);
  }
});
