/*
 * The agent of the bare relay of bytes: it sends each request to the upstream, and the answer back. The ports of both are its
 * arguments. It ends with the process that started it.
 */

const [relayPort, upstreamPort] = process.argv.slice(2);
const END = "end";
/** More than a piece, so that the socket always has something to send. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

const socket = new WebSocket(`ws://127.0.0.1:${relayPort}/`);
socket.binaryType = "arraybuffer";
let pieces: ReadableStreamDefaultController<Uint8Array> | undefined;

async function carry(path: string, contentType: string): Promise<void> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      pieces = controller;
    },
  });
  const init = { method: "POST", headers: { "content-type": contentType }, body };
  const response = await fetch(`http://127.0.0.1:${upstreamPort}${path}`, init);
  socket.send(JSON.stringify({ path, contentType: response.headers.get("content-type") }));
  for await (const piece of response.body ?? []) {
    socket.send(piece);
    while (socket.bufferedAmount > BUFFERED_BYTES_MAX) await new Promise(setImmediate);
  }
  socket.send(END);
}

socket.onmessage = ({ data }) => {
  if (typeof data !== "string") pieces?.enqueue(new Uint8Array(data));
  else if (data === END) pieces?.close();
  else {
    const { path, contentType } = JSON.parse(data) as { path: string; contentType: string };
    void carry(path, contentType);
  }
};
socket.onclose = () => process.exit();
// The bench waits for an address.
socket.onopen = () => process.stderr.write(`http://127.0.0.1:${relayPort}\n`);
process.on("disconnect", () => process.exit());
