import { DAY_MS } from "../../durations.ts";
import type { Severity } from "../../protocol/node/problems.ts";
import { type Finding, shownReasonText } from "../finding.ts";
import type { AlertSources, CertificateFacts } from "../sources.ts";

/** From this share of its places on, the queue is nearly full. */
const QUEUE_SHARE = 0.8;

/** Finds that few more requests may wait. */
export function findQueue({ relay, queueMax }: Pick<AlertSources, "relay" | "queueMax">): Finding[] {
  const requests = relay.stats().asks_waiting;
  if (requests < QUEUE_SHARE * queueMax) return [];
  const severity = requests >= queueMax ? "critical" : "warning";
  return [{ code: "queue_filling", subject: "", severity, details: { requests, limit: queueMax } }];
}

const GB = 1024 ** 3;
const DISK_LOW_BYTES = GB;
const DISK_FULL_BYTES = GB / 5;

/** Finds what is wrong with what the server itself stands on. */
export function findServer(sources: AlertSources, now: number): Finding[] {
  const { store, isNatsAway, freeBytes, clockAheadMs } = sources.facts();
  const found: Finding[] = [];
  const add = (code: Finding["code"], severity: Severity, details: Finding["details"] = {}) =>
    found.push({ code, subject: "", severity, details });
  if (store !== "works") add("database_away", "critical", { serves: store === "away" });
  if (isNatsAway) add("nats_away", "warning");
  if (freeBytes !== undefined && freeBytes < DISK_LOW_BYTES)
    add("disk_low", freeBytes < DISK_FULL_BYTES ? "critical" : "warning", { free_bytes: freeBytes });
  if (clockAheadMs !== undefined) add("clock_differs", "warning", { ahead_ms: clockAheadMs });
  if (sources.isAdminKeyWeak) add("admin_key_weak", "warning");
  const failure = sources.webhookFailure();
  if (failure !== undefined) add("webhook_failing", "warning", { reason: shownReasonText(failure) });
  const certificate = sources.certificate();
  if (certificate) found.push(...findCertificate(certificate, now));
  return found;
}

/** A certificate without automatic renewal is reported early enough to order another one. */
const UNRENEWED_MS = 14 * DAY_MS;
/** Automatic renewal is due much earlier. */
const RENEWED_MS = 7 * DAY_MS;
const URGENT_MS = 3 * DAY_MS;

function findCertificate({ expiresAt, renewal }: CertificateFacts, now: number): Finding[] {
  const leftMs = expiresAt - now;
  const failure = renewal?.failure;
  const isLate = leftMs < (renewal ? RENEWED_MS : UNRENEWED_MS);
  if (failure === undefined && !isLate) return [];
  const reason = failure === undefined ? {} : { reason: shownReasonText(failure) };
  const severity = leftMs < URGENT_MS ? "critical" : "warning";
  const details = { expires_at: expiresAt, renews: renewal !== undefined, ...reason };
  return [{ code: "certificate", subject: "", severity, details }];
}
