import { size, time } from "./kinds.ts";
import { prices } from "./price-setting.ts";
import { count, optional, setting } from "./setting.ts";

/** The settings of what the server keeps. */
export const RECORDS = {
  conversationDays: setting("conversation-days", "30", count(3650), "Days to keep an unused conversation."),
  conversationLengthMax: setting(
    "conversation-max",
    "1MB",
    size("1KB", "64MB"),
    "Longest conversation that the server keeps.",
  ),
  conversationQuotaBytes: setting(
    "conversation-quota",
    "100MB",
    size("1MB", "64GB"),
    "Conversations that the server keeps for each user; the oldest give way.",
  ),
  responseMemoryBytes: setting(
    "response-memory",
    "64MB",
    size("0", "64GB"),
    "Memory for responses, to which clients refer by id. 0 keeps none.",
  ),
  responsesDays: optional(
    "responses-days",
    "none are stored",
    count(3650),
    "Days to store responses and the conversations of the Responses API.",
  ),
  responseGraceMs: setting(
    "response-grace",
    "30s",
    time("0s", "10m"),
    "How long a streamed response goes on after its caller's connection was cut, to be resumed.",
  ),
  usageDays: setting("usage-days", "365", count(3650), "Days to keep the record of a request."),
  prices: optional("prices", "none", prices, "File with the prices of models, in JSON."),
  auditDays: setting("audit-days", "730", count(3650), "Days to keep the audit of changes."),
};
