import { ResponseReader } from "./response-reader.ts";

export type BodyPart = (bytes: Buffer, from: number, to: number) => void;

/**
 * A keep-alive connection for one request at a time. It is a raw socket, as `fetch` costs several times as
 * much as the servers under test.
 */
export interface HttpConnection {
  /** Resolves with the status once the whole response has arrived. */
  send(request: string, onBody: BodyPart): Promise<number>;
  close(): void;
}

export async function openHttpConnection(port: number): Promise<HttpConnection> {
  let waiting: PromiseWithResolvers<number> | undefined;
  let onBody: BodyPart = () => {};
  let closed: Error | undefined;
  const reader = new ResponseReader({
    body: (bytes, from, to) => onBody(bytes, from, to),
    end: (status) => {
      const { resolve } = waiting ?? {};
      waiting = undefined;
      resolve?.(status);
    },
  });
  const fail = (error: Error) => {
    closed ??= error;
    waiting?.reject(closed);
    waiting = undefined;
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      binaryType: "buffer",
      data: (_, bytes) => {
        try {
          reader.push(bytes);
        } catch (error) {
          fail(error as Error);
        }
      },
      close: () => fail(new Error("The server closed the connection.")),
      error: (_, error) => fail(error),
    },
  });
  socket.setNoDelay(true);
  return {
    send(request, part) {
      if (closed) return Promise.reject(closed);
      if (waiting) throw new Error("A connection takes one request at a time.");
      onBody = part;
      waiting = Promise.withResolvers();
      const { promise } = waiting;
      // Requests are far smaller than the buffer of a socket.
      if (socket.write(request) !== Buffer.byteLength(request)) fail(new Error("The socket is full."));
      return promise;
    },
    close: () => {
      closed ??= new Error("closed");
      socket.end();
    },
  };
}
