import { request } from "node:http";
import { MODEL } from "../answers.ts";
import type { Target } from "../workshop.ts";

const PIECE = Buffer.alloc(256 * 1024, 1);
const BOUNDARY = "bench";
const HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${MODEL}\r\n` +
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n` +
    "Content-Type: audio/wav\r\n\r\n",
);
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

/** Carries a number of bytes through a target. Rejects if not all arrived. */
export type Transfer = (target: Target, bytes: number) => Promise<void>;

/** Sends a form with a file of this size, as fast as it is taken. */
export const upload: Transfer = async ({ port, adminKey }, bytes) => {
  const whole = HEAD.length + bytes + TAIL.length;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request({
    ...{ host: "127.0.0.1", port, method: "POST", path: "/v1/audio/transcriptions" },
    headers: {
      authorization: `Bearer ${adminKey}`,
      "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
      "content-length": whole,
    },
  });
  sent.on("error", reject);
  sent.on("response", (response) => {
    let text = "";
    response.on("data", (piece) => {
      text += piece;
    });
    response.on("end", () => resolve(text));
    response.on("error", reject);
  });
  const write = async (piece: Buffer) => {
    if (!sent.write(piece)) await Promise.race([new Promise((drain) => sent.once("drain", drain)), promise]);
  };
  await write(HEAD);
  for (let left = bytes; left > 0; left -= PIECE.length) await write(PIECE.subarray(0, left));
  sent.end(TAIL);
  const text = await promise;
  if (text !== JSON.stringify({ text: String(whole) }))
    throw new Error(`The upstream got other bytes than ${whole}: ${text.slice(0, 200)}`);
};

/** Asks for speech of this size, and reads it. */
export const download: Transfer = async ({ port, adminKey }, bytes) => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/audio/speech`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, input: String(bytes), voice: "alloy" }),
  });
  let read = 0;
  for await (const piece of response.body ?? []) read += piece.length;
  if (read !== bytes) throw new Error(`${read} of ${bytes} bytes came, with status ${response.status}.`);
};
