import { connectSource, takeBody, takeHead } from "./byte-source.ts";

export interface RawResponse {
  status: number;
  headers: Headers;
  body: string;
}

/**
 * Sends `bytes` as they are, which may be no proper HTTP at all, and reads one answer, after any 1xx. Undefined where the
 * server ended the connection without one, or, once `silenceMs` have passed, still waits for more to come.
 */
export async function sendRawRequest(
  url: string,
  bytes: string | Uint8Array,
  { silenceMs = 2000 }: { silenceMs?: number } = {},
): Promise<RawResponse | undefined> {
  const source = connectSource(url);
  const limit = setTimeout(() => source.socket.destroy(), silenceMs);
  try {
    source.write(bytes);
    let head = await takeHead(source);
    while (head && head.status < 200) head = await takeHead(source);
    return head && { ...head, body: await takeBody(source, head) };
  } finally {
    clearTimeout(limit);
    source.socket.destroy();
  }
}
