import { printable } from "../printable.ts";
import { connectErrorTexts } from "../system-error.ts";
import type { Problem } from "./shapes.ts";

/** The type of an error of a CA that could not be called. */
export const UNREACHABLE = "unreachable";

/** Why a certificate could not be ordered. The message is one line for the operator: what is wrong, and what to do. */
export class AcmeError extends Error {
  /** The type of the CA's problem, such as `badNonce`, or `UNREACHABLE`; empty if the CA reported none. */
  readonly type: string;
  /** The CA wants no request before this time has passed. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    {
      type = "",
      retryAfterMs,
      cause,
    }: { type?: string; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = "AcmeError";
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }
}

const DETAIL_LENGTH_MAX = 300;

/** The advice for the operator about a problem of a request, by its type. */
const REQUEST_ADVICE: Readonly<Record<string, string>> = {
  rateLimited: "Its rate limit is reached. The server waits, and tries again.",
  externalAccountRequired:
    "This CA takes only its customers: give the key ID and the HMAC key from its website to --acme-eab-kid and --acme-eab-key.",
  rejectedIdentifier: "It issues no certificates for this name. Check --domain.",
  malformed: "If the cause is --acme-eab-kid or --acme-eab-key, correct it.",
  unauthorized:
    "It refuses the account, or the external account. Check --acme-eab-kid and --acme-eab-key, or delete the file account.key to register a new account.",
  invalidContact: "Correct --acme-email.",
  unsupportedContact: "Correct --acme-email.",
  userActionRequired: "It has changed its terms: follow the link that it gives.",
};

/** Returns the error of a request that the CA refused. */
export function requestError(
  { type, detail, subproblems = [] }: Problem,
  status: number,
  retryAfterMs?: number,
): AcmeError {
  const name = shortType(type);
  const details = [detail, ...subproblems.map((each) => each.detail)].filter(Boolean).join(" ");
  const advice = entryOf(REQUEST_ADVICE, name);
  const words = `The CA refused the request: ${shown(details) || `status ${status}.`}`;
  return new AcmeError(advice ? `${words} ${advice}` : words, { type: name, retryAfterMs });
}

/** Returns the error of a name whose address the CA checked in vain. */
export function challengeError(name: string, problem: Problem | undefined): AcmeError {
  const type = shortType(problem?.type ?? "");
  const detail = shown(problem?.detail ?? "") || "it did not say why.";
  const url = `http://${name}/.well-known/acme-challenge/…`;
  const words: Readonly<Record<string, string>> = {
    connection: `The CA could not reach ${url}: ${detail} Open port 80 of this machine to the Internet, and forward it here if it is behind a router.`,
    dns: `The CA found no address for ${name}: ${detail} Point the A or AAAA record of the name to this machine.`,
    caa: `The CAA record of ${name} does not allow this CA: ${detail} Change the record, or choose another CA with --acme-directory.`,
  };
  const otherwise = `The CA got a wrong answer from ${url}: ${detail} Check that ${name} leads to this machine in its A and AAAA records, and that no other program answers on port 80.`;
  return new AcmeError(entryOf(words, type) ?? otherwise, { type });
}

/** Returns the error of a CA that could not be called. */
export function unreachableError(url: string, cause: unknown): AcmeError {
  const { words } = connectErrorTexts(cause);
  return new AcmeError(`The CA at ${new URL(url).origin} ${words}.`, { type: UNREACHABLE, cause });
}

/** Returns the text of others on one line, bounded, with a full stop. */
function shown(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, " ").trim());
  const short = line.length > DETAIL_LENGTH_MAX ? `${line.slice(0, DETAIL_LENGTH_MAX)}…` : line;
  return short === "" || /[.!?…]$/.test(short) ? short : `${short}.`;
}

function shortType(type: string): string {
  return type.replace(/^urn:ietf:params:acme:error:/, "");
}

/** Returns the words for a type. The CA names it, and an object also has the properties of its prototype. */
function entryOf(words: Readonly<Record<string, string>>, type: string): string | undefined {
  return Object.hasOwn(words, type) ? words[type] : undefined;
}
