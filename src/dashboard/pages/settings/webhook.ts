import { isRecord } from "../../api/request.ts";
import type { TextKey } from "../../texts/texts.ts";

/** The name of the setting. */
export const WEBHOOK = "webhook";

export const FORMATS = {
  auto: "webhook.format.auto",
  generic: "webhook.format.generic",
  slack: "webhook.format.slack",
  discord: "webhook.format.discord",
  ntfy: "webhook.format.ntfy",
} as const satisfies Record<string, TextKey>;

export const SEVERITIES = {
  critical: "webhook.severity.critical",
  warning: "webhook.severity.warning",
  info: "webhook.severity.info",
} as const satisfies Record<string, TextKey>;

/** The setting as the server shows it, with its address and its secret masked. */
export interface ShownWebhook {
  hasUrl: boolean;
  hasSecret: boolean;
  format: string;
  severity: string;
}

export function readWebhook(current: unknown): ShownWebhook {
  const { url, secret, format, severity } = isRecord(current) ? current : {};
  return {
    hasUrl: typeof url === "string",
    hasSecret: typeof secret === "string",
    format: typeof format === "string" ? format : "auto",
    severity: typeof severity === "string" ? severity : "warning",
  };
}
