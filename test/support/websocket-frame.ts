import { randomBytes } from "node:crypto";

/** The opcodes of RFC 6455 §5.2. Tests also send 3 to 7 and 11 to 15, which are not defined. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  fin: boolean;
  opcode: number;
  /** The three reserved bits, 0 to 7. */
  reserved: number;
}

/** Encodes a frame of a client. `masked: false` breaks the protocol, as clients must mask. */
export function encodeFrame(
  payload: string | Uint8Array,
  {
    fin = true,
    opcode = OPCODE.text,
    reserved = 0,
    masked = true,
  }: Partial<Frame> & { masked?: boolean } = {},
): Buffer {
  const body = Buffer.from(payload as Uint8Array);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  let head: Buffer;
  if (body.length < 126) {
    head = Buffer.from([first, mask | body.length]);
  } else if (body.length < 0x10000) {
    head = Buffer.from([first, mask | 126, body.length >> 8, body.length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  if (!masked) return Buffer.concat([head, body]);
  const key = randomBytes(4);
  for (let at = 0; at < body.length; at++) body[at] = (body[at] ?? 0) ^ (key[at & 3] ?? 0);
  return Buffer.concat([head, key, body]);
}

/**
 * Decodes the first frame of a server's bytes, with its size on the wire; undefined while it is incomplete.
 */
export function decodeFrame(bytes: Buffer): { frame: Frame & { payload: Buffer }; size: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return;
  if (second & 0x80) throw new Error("The server masked a frame, which only a client may do.");
  let length = second & 0x7f;
  let start = 2;
  if (length === 126) {
    if (bytes.length < 4) return;
    length = bytes.readUInt16BE(2);
    start = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return;
    length = Number(bytes.readBigUInt64BE(2));
    start = 10;
  }
  if (bytes.length < start + length) return;
  const frame = {
    fin: (first & 0x80) !== 0,
    reserved: (first >> 4) & 7,
    opcode: first & 0x0f,
    payload: bytes.subarray(start, start + length),
  };
  return { frame, size: start + length };
}
