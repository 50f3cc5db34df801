import { CommandError } from "../errors.ts";
import { printable } from "../printable.ts";
import { connectErrorTexts } from "../system-error.ts";
import { readAtMost } from "./read-at-most.ts";
import { readVersion } from "./version.ts";

/*
 * A release page is laid out as that of GitHub: `<page>/latest` redirects to `<page>/tag/v0.2.0`, or has the text
 * `v0.2.0`, and `<page>/download/v0.2.0/` has the files.
 */

export interface ReleaseFile {
  body: ReadableStream<Uint8Array>;
  /** The length, if the source tells it before the content. */
  bytes: number | undefined;
}

const REDIRECTS_MAX = 5;
/** How long the page may take to answer. The content of a file has its own time limit. */
const HEAD_MS = 30_000;
const LATEST_BYTES_MAX = 256;

/** Reads which version is the newest. Throws a `CommandError` if the page does not say it. */
export async function readLatest(page: string): Promise<string> {
  const response = await request(`${page}/latest`);
  const location = response.headers.get("location");
  if (location !== null) {
    await response.body?.cancel();
    const [, tag = ""] = /\/tag\/([^/?#]+)$/.exec(location) ?? [];
    return knownVersion(page, tag);
  }
  if (response.status !== 200) throw await refused(page, response);
  const text = response.body && (await readAtMost(response.body, LATEST_BYTES_MAX));
  return knownVersion(page, text ?? "");
}

function knownVersion(page: string, text: string): string {
  const version = readVersion(text);
  if (version !== undefined) return version;
  throw new CommandError(`${page} has no release yet, or is not a release page. Check the address.`);
}

/** Opens a file of a release page, and follows its redirects. */
export async function openAddress(address: string): Promise<ReleaseFile | undefined> {
  let url = new URL(address);
  for (let left = REDIRECTS_MAX; left > 0; left--) {
    const response = await request(url.href);
    const location = response.headers.get("location");
    if (location === null || response.status < 300 || response.status > 399)
      return fileOf(url.origin, response);
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    if (!next || !isSafe(next, url))
      throw new CommandError(`${url.origin} redirects to an address without TLS. Nothing was downloaded.`);
    url = next;
  }
  throw new CommandError(`${new URL(address).origin} redirects too often. Check the address.`);
}

/** A redirect may not lead away from TLS, where anybody on the way could change the answer. */
const isSafe = (next: URL, from: URL) =>
  next.protocol === "https:" || (next.protocol === "http:" && from.protocol === "http:");

async function fileOf(origin: string, response: Response): Promise<ReleaseFile | undefined> {
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (response.status !== 200 || !response.body) throw await refused(origin, response);
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  return { body: response.body, bytes: Number.isSafeInteger(length) ? length : undefined };
}

async function refused(source: string, response: Response): Promise<CommandError> {
  await response.body?.cancel();
  return new CommandError(`${source} answered with status ${response.status}. Try again later.`);
}

async function request(url: string): Promise<Response> {
  const { origin } = new URL(url);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), HEAD_MS);
  try {
    // Compressed files would have another length than the header says.
    const headers = { "accept-encoding": "identity", "user-agent": "chatgpt-api-server" };
    return await fetch(url, { redirect: "manual", headers, signal: late.signal });
  } catch (error) {
    const words = late.signal.aborted
      ? `does not answer within ${HEAD_MS / 1000} s`
      : connectErrorTexts(error).words;
    throw new CommandError(`${printable(origin)} ${words}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
