import { connectSource, type ResponseHead, takeBody, takeHead } from "./byte-source.ts";
import { checkDescribed } from "./description/described.ts";
import { HANG_MS } from "./until.ts";

export interface RawResponse {
  status: number;
  headers: Headers;
  body: string;
}

/**
 * Sends `bytes`, which need not be valid HTTP, and reads one response after any 1xx. Returns undefined if the
 * server closes the connection without a response, or sends none within `silenceMs`.
 */
export async function sendRawRequest(
  url: string,
  bytes: string | Uint8Array,
  { silenceMs = HANG_MS }: { silenceMs?: number } = {},
): Promise<RawResponse | undefined> {
  const source = connectSource(url);
  const limit = setTimeout(() => source.socket.destroy(), silenceMs);
  try {
    source.write(bytes);
    let head = await takeHead(source);
    while (head && head.status < 200) head = await takeHead(source);
    if (!head) return;
    const body = await takeBody(source, head);
    await check(url, bytes, head, body);
    return { ...head, body };
  } finally {
    clearTimeout(limit);
    source.socket.destroy();
  }
}

/**
 * A response of the runtime to a head that it cannot parse is not ours and has no request id: it is not
 * checked.
 */
async function check(
  url: string,
  bytes: string | Uint8Array,
  head: ResponseHead,
  text: string,
): Promise<void> {
  const [, method = "", target = ""] =
    Buffer.from(bytes)
      .toString("latin1")
      .match(/^(\S+) (\S+)/) ?? [];
  if (!head.headers.has("x-request-id") || !target.startsWith("/")) return;
  checkDescribed({ method, url: url + target, ...head, text });
}
