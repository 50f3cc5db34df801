import { connectSource, takeBody, takeHead } from "./byte-source.ts";

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/**
 * Requests a registration through a proxy, which always needs a key. Returns the status, and the body if the
 * agent is refused. `fetch` cannot send such a request.
 */
export async function registerFromElsewhere(
  url: string,
  { method = "GET", path }: { method?: string; path: string },
  authorization?: string,
): Promise<[number | undefined, string]> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    ...(method === "GET" ? UPGRADE : ["Content-Length: 0"]),
    "X-Forwarded-For: 192.0.2.1",
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ];
  const source = connectSource(url);
  source.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await takeHead(source);
  const body = head && head.status !== 101 && head.status !== 200 ? await takeBody(source, head) : "";
  source.socket.destroy();
  return [head?.status, body];
}
