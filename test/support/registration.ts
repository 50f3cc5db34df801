import { connectSource, takeBody, takeHead } from "./byte-source.ts";

/**
 * Requests a registration through a proxy, which always needs a key. Returns the status, and the body if the
 * status is not 101. `fetch` cannot send such a request.
 */
export async function registerFromElsewhere(
  url: string,
  path: string,
  authorization?: string,
): Promise<[number | undefined, string]> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "X-Forwarded-For: 192.0.2.1",
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ];
  const source = connectSource(url);
  source.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await takeHead(source);
  const body = head && head.status !== 101 ? await takeBody(source, head) : "";
  source.socket.destroy();
  return [head?.status, body];
}
