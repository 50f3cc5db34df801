import { createRandom } from "../random.ts";

const WORDS = [
  "a ",
  "the ",
  "word  ",
  "naïve ",
  "日本語 ",
  "👩‍🔬 ",
  "\n\n",
  "\t",
  '"quoted" ',
  "back\\slash ",
  "data: ",
  "\r\n",
];
const WORD_BYTES = WORDS.map((word) => Buffer.byteLength(word));

/** Returns exactly `sizeBytes` of UTF-8, the same for the same seed. The model `long` answers it. */
export function longAnswer(seed: number, sizeBytes: number): string {
  const random = createRandom(seed);
  const words: string[] = [];
  let left = sizeBytes;
  while (left > 0) {
    const index = random.below(WORDS.length);
    const bytes = WORD_BYTES[index] ?? 0;
    if (bytes > left) break;
    words.push(WORDS[index] ?? "");
    left -= bytes;
  }
  return words.join("") + ".".repeat(left);
}

/** Splits the text into pieces of 1 to 64 UTF-16 units, never within a surrogate pair. */
export function* piecesOf(text: string, seed: number): Generator<string> {
  const random = createRandom(seed);
  for (let start = 0; start < text.length; ) {
    let end = start + 1 + random.below(64);
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff) end++;
    yield text.slice(start, end);
    start = end;
  }
}

/** Splits the text into words, each with the white space before it. */
export const wordsOf = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];

/** Returns the vector of a text: 8 numbers from -1 up to 1. */
export function embeddingOf(text: string): number[] {
  const digest = new Bun.CryptoHasher("sha256").update(text).digest();
  return [...digest.subarray(0, 8)].map((byte) => byte / 128 - 1);
}

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ id: "malformed", choices: [{ index: 0, delta, finish_reason: finish }] });

/** The stream of the model `malformed`: valid server-sent events in the most unusual form. */
const MALFORMED = [
  "\uFEFF: a byte order mark, then a comment\n\n",
  ":\r\n",
  `id: 7\r\nretry: 10\r\ndata: ${chunk({ role: "assistant", content: "naïve " })}\r\n\r\n`,
  `data:${chunk({ content: "日本語 " })}\r\r`,
  ': keep-alive\nunknown: field\nnonsense\ndata: {"choices":[\n\n',
  "data: {}\ndata:  two\r\ndata: lines\r\r\n",
  "event: without-data\n\n",
  "event: odd\ndata: 👩‍🔬\n\n",
  `data: ${chunk({}, "stop")}\n\n`,
  "data: [DONE]\n\n",
].join("");

/** The events that a correct reader gets from that stream, in order. */
export const MALFORMED_EVENTS: readonly { data: string; event?: string }[] = [
  { data: chunk({ role: "assistant", content: "naïve " }) },
  { data: chunk({ content: "日本語 " }) },
  { data: '{"choices":[' },
  { data: "{}\n two\nlines" },
  { data: "👩‍🔬", event: "odd" },
  { data: chunk({}, "stop") },
  { data: "[DONE]" },
];

/** Splits the stream into writes of one to six bytes, within characters and line ends too. */
export function malformedWrites(seed: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(MALFORMED);
  const random = createRandom(seed);
  const writes: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + random.below(6);
    writes.push(bytes.subarray(start, end));
    start = end;
  }
  return writes;
}
