import { ResponseReader } from "../response-reader.ts";

/** A request whose body is `head`, so many bytes that mean nothing, and `tail`. */
export interface LargeRequest {
  port: number;
  token: string;
  head: string;
  fillingBytes: number;
  tail: string;
}

export interface LargeAnswer {
  status: number;
  bytes: number;
  /** The beginning of the body. */
  begin: string;
}

/** A request on a connection of its own, which is closed after the answer. */
export interface LargeExchange {
  answer: Promise<LargeAnswer>;
  /** Reads no more, so that the server must hold what it sends. */
  pause(): void;
  resume(): void;
  close(): void;
}

const SHOWN_BYTES = 300;

const FILLING = Buffer.alloc(1024 * 1024, ".");

/** Yields the bytes of a request. All requests share those of the filling. */
function* bytesOf({ token, head, fillingBytes, tail }: LargeRequest): Generator<Uint8Array> {
  const length = Buffer.byteLength(head) + fillingBytes + Buffer.byteLength(tail);
  yield Buffer.from(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${head}`,
  );
  for (let left = fillingBytes; left > 0; left -= FILLING.length)
    yield FILLING.subarray(0, Math.min(left, FILLING.length));
  yield Buffer.from(tail);
}

/** Sends a request of any size, as fast as the server reads it. */
export async function openLarge(request: LargeRequest): Promise<LargeExchange> {
  const answer = Promise.withResolvers<LargeAnswer>();
  // A caller that is closed by its load awaits no answer.
  answer.promise.catch(() => {});
  let bytes = 0;
  let begin = "";
  const reader = new ResponseReader({
    body: (read, from, to) => {
      if (bytes === 0) begin = read.toString("latin1", from, Math.min(to, from + SHOWN_BYTES));
      bytes += to - from;
    },
    end: (status) => answer.resolve({ status, bytes, begin }),
  });
  const rest = bytesOf(request);
  let piece: Uint8Array | undefined;
  const write = (socket: { write(data: Uint8Array): number }) => {
    for (piece ??= rest.next().value; piece; piece = rest.next().value) {
      const written = socket.write(piece);
      if (written < piece.length) {
        piece = piece.subarray(Math.max(0, written));
        return;
      }
    }
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: request.port,
    socket: {
      binaryType: "buffer",
      open: write,
      drain: write,
      data: (_, read) => reader.push(read),
      close: () => answer.reject(new Error("The server closed the connection.")),
      error: (_, error) => answer.reject(error),
    },
  });
  void answer.promise.then(
    () => socket.end(),
    () => {},
  );
  return {
    answer: answer.promise,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.terminate(),
  };
}
