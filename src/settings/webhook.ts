import { z } from "zod";
import {
  ALERT_SEVERITIES,
  isWebhookUrl,
  WEBHOOK_FORMATS,
  WEBHOOK_SECRET_LENGTH_MIN,
} from "../config/alert-settings.ts";
import type { Changeable } from "./changeable.ts";

const SECRET_LENGTH_MAX = 1024;

const webhookSchema = z.strictObject({
  /** Null for no webhook, also if the command line has one. */
  url: z
    .string()
    .refine(isWebhookUrl, "must be an address that begins with https:// or http://, without a #")
    .nullable(),
  /** `auto` goes by the host of the address. */
  format: z.enum(WEBHOOK_FORMATS).default("auto"),
  /** Signs the messages; null for none. */
  secret: z.string().min(WEBHOOK_SECRET_LENGTH_MIN).max(SECRET_LENGTH_MAX).nullable().default(null),
  /** Less severe problems are not reported. */
  severity: z.enum(ALERT_SEVERITIES).default("warning"),
});
/** The receiver of messages about problems, as an administrator gives it. */
export type WebhookValue = z.output<typeof webhookSchema>;

const MASK = "***";

/** The webhook of the alerts: the four flags of it as one setting, since they belong together. */
export const webhook: Changeable<WebhookValue> = {
  schema: webhookSchema,
  about:
    "Address that gets a message about problems, with its format, its secret and the least severity: --alert-webhook, --alert-webhook-format, --alert-webhook-secret and --alert-severity.",
  label: "webhook",
  flags: ["alertWebhook", "alertWebhookSecret", "alertWebhookFormat", "alertSeverity"],
  example: { url: "https://ntfy.example.com/alerts", format: "auto", secret: null, severity: "warning" },
  defaultOf: ({ alertWebhook, alertWebhookFormat: format, alertWebhookSecret, alertSeverity: severity }) => ({
    ...{ url: alertWebhook ?? null, format, secret: alertWebhookSecret ?? null, severity },
  }),
  show: ({ url, format, severity }) => (url === null ? "(none)" : `${MASK}, ${format}, ${severity}`),
  masked: (value) => ({
    ...value,
    url: value.url === null ? null : MASK,
    secret: value.secret === null ? null : MASK,
  }),
};
