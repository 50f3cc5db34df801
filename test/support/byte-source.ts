import { connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";

/** A TCP connection whose reader takes bytes at its own pace: `bytes` holds those that were not taken yet. */
export interface ByteSource {
  readonly socket: Socket;
  bytes: Buffer;
  /** Whether the connection has ended. */
  done: boolean;
  /** Resolves at the next bytes or at the end, whichever comes first. */
  more(): Promise<void>;
  readonly ended: Promise<void>;
  write(bytes: string | Uint8Array): void;
}

export interface ResponseHead {
  status: number;
  headers: Headers;
}

export function connectSource(url: string, localAddress?: string): ByteSource {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, ...(localAddress && { localAddress }) });
  const ended = Promise.withResolvers<void>();
  let wake: (() => void) | undefined;
  const source: ByteSource = {
    socket,
    bytes: Buffer.alloc(0),
    done: false,
    more() {
      if (source.done) return Promise.resolve();
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    ended: ended.promise,
    write(bytes) {
      if (socket.writable) socket.write(bytes);
    },
  };
  const end = () => {
    source.done = true;
    ended.resolve();
    wake?.();
  };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    source.bytes = source.bytes.length === 0 ? chunk : Buffer.concat([source.bytes, chunk]);
    wake?.();
  });
  socket.on("end", end).on("close", end).on("error", end);
  return source;
}

/** Takes a status line and headers; resolves with undefined if the connection ends without them. */
export async function takeHead(source: ByteSource): Promise<ResponseHead | undefined> {
  const head = await takeUntil(source, "\r\n\r\n");
  if (head === undefined) return;
  const [first = "", ...lines] = head.toString("latin1").split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(first.split(" ")[1]), headers };
}

/** Takes the body that `head` announces, without its compression; if it is cut short, the part that arrived. */
export async function takeBody(source: ByteSource, { headers }: ResponseHead): Promise<string> {
  const bytes = await takeBodyBytes(source, headers);
  const isWhole = headers.get("content-encoding") === "gzip" && !source.done;
  return (isWhole ? gunzipSync(bytes) : bytes).toString();
}

async function takeBodyBytes(source: ByteSource, headers: Headers): Promise<Buffer> {
  if (headers.get("transfer-encoding") !== "chunked")
    return takeBytes(source, Number(headers.get("content-length") ?? 0));
  const chunks: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt((await takeUntil(source, "\r\n"))?.toString() ?? "0", 16);
    chunks.push(await takeBytes(source, size));
    await takeUntil(source, "\r\n");
    if (size === 0) return Buffer.concat(chunks);
  }
}

async function takeUntil(source: ByteSource, mark: string): Promise<Buffer | undefined> {
  let end = source.bytes.indexOf(mark);
  while (end < 0 && !source.done) {
    await source.more();
    end = source.bytes.indexOf(mark);
  }
  if (end < 0) return;
  const taken = source.bytes.subarray(0, end);
  source.bytes = source.bytes.subarray(end + mark.length);
  return taken;
}

async function takeBytes(source: ByteSource, count: number): Promise<Buffer> {
  while (source.bytes.length < count && !source.done) await source.more();
  const taken = source.bytes.subarray(0, count);
  source.bytes = source.bytes.subarray(count);
  return taken;
}
