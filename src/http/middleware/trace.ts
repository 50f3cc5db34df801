/**
 * The trace that a request belongs to: https://www.w3.org/TR/trace-context/ (level 1). `traceparent` names
 * our own span, and is sent to agents and upstreams.
 */
export interface Trace {
  traceId: string;
  /** Our own span. */
  spanId: string;
  /** The caller's span. */
  parentSpanId: string;
  traceparent: string;
  tracestate: string | undefined;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/**
 * Returns the trace, or undefined if the caller sent none, or one that does not follow the specification. No
 * trace begins here: an upstream that starts traces by itself would take ours, which nobody records, as a
 * request not to record its own.
 */
export function readTrace(headers: Headers, newSpanId = randomSpanId): Trace | undefined {
  const header = headers.get("traceparent");
  if (header === null) return undefined;
  const [, version, traceId = "", parentSpanId = "", flags = "", more] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return undefined;
  const spanId = newSpanId();
  // Only the first flag has a meaning in the version that is passed on.
  const sampled = Number.parseInt(flags, 16) & SAMPLED ? "01" : "00";
  return {
    traceId,
    spanId,
    parentSpanId,
    traceparent: `00-${traceId}-${spanId}-${sampled}`,
    tracestate: readTracestate(headers.get("tracestate")),
  };
}

const MEMBERS_MAX = 32;
const STATE_LENGTH_MAX = 512;
/** A longer header has more members than are allowed, or is not worth parsing. */
const HEADER_LENGTH_MAX = 8192;
const LONG_MEMBER = 128;
const MEMBER =
  /^((?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13}))=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])$/;

/** Drops a malformed list. One that is too long loses its long members first, and then its last ones. */
function readTracestate(header: string | null): string | undefined {
  if (header === null || header.length > HEADER_LENGTH_MAX) return undefined;
  const members = header
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = members.map((member) => MEMBER.exec(member)?.[1]);
  const isSound = members.length <= MEMBERS_MAX && !keys.includes(undefined);
  if (!isSound || new Set(keys).size < keys.length) return undefined;
  return shortened(members).join(",") || undefined;
}

function shortened(members: readonly string[]): readonly string[] {
  if (members.join(",").length <= STATE_LENGTH_MAX) return members;
  const kept = members.filter((member) => member.length <= LONG_MEMBER);
  while (kept.join(",").length > STATE_LENGTH_MAX) kept.pop();
  return kept;
}

const SPAN_BYTES = 8;

function randomSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SPAN_BYTES));
  // An id must not be all zeros.
  return bytes.some((byte) => byte !== 0) ? bytes.toHex() : randomSpanId();
}
