import { expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { secretsInWebhook } from "../../src/config/service-addresses.ts";
import { faultsOf } from "../support/command-faults.ts";
import { ALERT_DEFAULTS } from "./alert-defaults.ts";

type Env = Record<string, string | undefined>;
const read = (args: readonly string[], env: Env = {}) =>
  readServerArgs({ args: ["8080", "key", ...args], env }).config;

test("without settings there is no webhook", () => {
  expect(read([])).toMatchObject({ alertWebhookFormat: "auto", alertSeverity: "warning" });
  expect(read([])).toEqual(expect.objectContaining({ ...ALERT_DEFAULTS }));
});

test("the webhook can be given by flags and by variables", () => {
  const url = "https://me:p%40ss@ntfy.example.com/alerts?a=b";
  const secret = "s".repeat(16);
  const given = { alertWebhook: url, alertWebhookSecret: secret };
  const flags = ["--alert-webhook", url, "--alert-webhook-secret", secret];
  const others = ["--alert-webhook-format", "slack", "--alert-severity", "info"];
  expect(read([...flags, ...others])).toMatchObject({
    ...{ ...given, alertWebhookFormat: "slack", alertSeverity: "info" },
  });
  const env = {
    ...{ CHATGPT_API_ALERT_WEBHOOK: url, CHATGPT_API_ALERT_WEBHOOK_SECRET: secret },
    ...{ CHATGPT_API_ALERT_WEBHOOK_FORMAT: "ntfy", CHATGPT_API_ALERT_SEVERITY: "critical" },
  };
  expect(read([], env)).toMatchObject({ ...given, alertWebhookFormat: "ntfy", alertSeverity: "critical" });
});

test("a webhook that cannot be used is refused, without the address in the message", () => {
  const secretPart = "T0000/secret";
  for (const url of [
    `ftp://hooks.example.com/${secretPart}`,
    `hooks.example.com/${secretPart}`,
    `https://hooks.example.com/${secretPart}#part`,
    `https://me:%zz@hooks.example.com/${secretPart}`,
    `https://hooks.example.com/${secretPart}${"x".repeat(2_048)}`,
  ]) {
    const faults = faultsOf(() => read(["--alert-webhook", url])).join("\n");
    expect(faults).toContain("Give one address that begins with https:// or http://");
    expect(faults).not.toContain(secretPart);
  }
  expect(faultsOf(() => read(["--alert-webhook-secret", "short"])).join("")).toContain(
    "16 random characters",
  );
});

test("the whole address, its login, path and query are secrets, and its host is not", () => {
  expect(secretsInWebhook("https://me:p%40ss@ntfy.example.com/alerts?a=b")).toEqual([
    ...["https://me:p%40ss@ntfy.example.com/alerts?a=b", "p@ss", "/alerts", "?a=b"],
  ]);
  expect(secretsInWebhook("https://example.com/")).toEqual(["https://example.com/"]);
});
