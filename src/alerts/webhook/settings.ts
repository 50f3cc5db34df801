import type { Severity } from "../../protocol/node/problems.ts";

const WEBHOOK_FORMATS = ["generic", "slack", "discord", "ntfy"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** The receiver of messages about problems. */
export interface WebhookSettings {
  /** A secret: everybody who knows it can post there. */
  url: string;
  format: WebhookFormat;
  /** Signs each message. */
  secret: string | undefined;
  /** Less severe problems are not reported. */
  severityMin: Severity;
}

/** The settings now in force, which an administrator may change while the server runs. */
export interface WebhookSource {
  /** Undefined if there is no webhook. */
  current(): WebhookSettings | undefined;
}

/** Returns the format that the host of the address takes. */
export function formatOf(url: string): WebhookFormat {
  const { hostname } = new URL(url);
  if (hostname === "hooks.slack.com" || hostname === "hooks.slack-gov.com") return "slack";
  if (/^((canary|ptb)\.)?discord(app)?\.com$/.test(hostname)) return "discord";
  return hostname === "ntfy.sh" || hostname.startsWith("ntfy.") ? "ntfy" : "generic";
}
