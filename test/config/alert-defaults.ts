/** The settings of the alerts by default. */
export const ALERT_DEFAULTS = {
  alertWebhook: undefined,
  alertWebhookSecret: undefined,
  alertWebhookFormat: "auto",
  alertSeverity: "warning",
} as const;
