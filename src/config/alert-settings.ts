import { choice, type Kind, parsed, secret } from "./kinds.ts";
import { isEncoded } from "./service-addresses.ts";
import { optional, setting } from "./setting.ts";

/** The address alone lets anybody post there, so it is a secret. */
const URL_LENGTH_MAX = 2048;

/** Whether messages can be posted to the address. */
export function isWebhookUrl(text: string): boolean {
  const url = text.length <= URL_LENGTH_MAX ? URL.parse(text) : null;
  if (!url?.hostname || !/^https?:$/.test(url.protocol) || url.hash !== "") return false;
  // A login goes into a header, decoded.
  return [url.username, url.password].every(isEncoded);
}

const webhookUrl: Kind<string> = {
  value: "<URL>",
  schema: parsed(
    (text) => (isWebhookUrl(text) ? text : undefined),
    `Give one address that begins with https:// or http://, of at most ${URL_LENGTH_MAX} characters, without a #.`,
  ),
};

export const WEBHOOK_SECRET_LENGTH_MIN = 16;
export const WEBHOOK_FORMATS = ["auto", "generic", "slack", "discord", "ntfy"] as const;
export const ALERT_SEVERITIES = ["critical", "warning", "info"] as const;

const webhookSecret: Kind<string> = {
  value: "<secret>",
  schema: secret().min(
    WEBHOOK_SECRET_LENGTH_MIN,
    `Give ${WEBHOOK_SECRET_LENGTH_MIN} random characters or more, such as \`openssl rand -hex 32\` prints.`,
  ),
};

/** The settings of the messages about problems. */
export const ALERTS = {
  alertWebhook: optional("alert-webhook", "none", webhookUrl, "Address that gets a message about problems.", {
    secret: true,
  }),
  alertWebhookSecret: optional(
    "alert-webhook-secret",
    "none",
    webhookSecret,
    "Secret that signs the messages to the webhook.",
    { secret: true },
  ),
  alertWebhookFormat: setting(
    "alert-webhook-format",
    "auto",
    choice(...WEBHOOK_FORMATS),
    "Form of the messages; auto goes by the host of the address.",
  ),
  alertSeverity: setting(
    "alert-severity",
    "warning",
    choice(...ALERT_SEVERITIES),
    "Minimum severity of the problems in the messages.",
  ),
};
