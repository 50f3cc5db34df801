/**
 * How many bytes of UTF-8 one token has on average. It is the usual rule of thumb for English text. Other
 * scripts have fewer characters in a token, but more bytes in a character, so bytes suit all of them:
 * https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them
 */
const BYTES_PER_TOKEN = 4;

/** An image, a sound or another file in base64 counts as this many tokens, whatever its size. */
const FILE_TOKENS = 1000;
/** A string of a body that is at least this long can be a file. */
const FILE_LENGTH_MIN = 4096;
/** Shorter bodies are not searched for files: what files add to them is little. */
const SEARCHED_LENGTH_MIN = 65_536;

/** How many characters of a text are looked at. */
const SAMPLES = 128;
/** How many strings of a body are looked at. One with more is not made of files. */
const STRINGS_MAX = 100_000;

/** Estimates the tokens of a text, or of the body of a request, by its size. */
export function estimateTokens(text: string): number {
  const files = text.length < SEARCHED_LENGTH_MIN ? NO_FILES : findFiles(text);
  const bytes = (text.length - files.length) * bytesPerUnit(text);
  return Math.ceil(bytes / BYTES_PER_TOKEN) + files.count * FILE_TOKENS;
}

/** Estimates how many tokens the text has of which only this length is known, with an example of it. */
export function estimateByLength(length: number, example: string): number {
  return Math.ceil((length * bytesPerUnit(example)) / BYTES_PER_TOKEN);
}

/** Returns how many bytes of UTF-8 a UTF-16 code unit of the text has on average, judging by a sample. */
function bytesPerUnit(text: string): number {
  const step = stepOf(text.length);
  let bytes = 0;
  let samples = 0;
  // Not by `sampleOf`: each request is estimated, and a list of its units takes twice the time of the rest.
  for (let at = 0; at < text.length; at += step) {
    bytes += bytesOf(text.charCodeAt(Math.floor(at)));
    samples++;
  }
  return samples > 0 ? bytes / samples : 1;
}

/** Each half of a surrogate pair has two of the pair's four bytes. */
function bytesOf(unit: number): number {
  if (unit < 0x80) return 1;
  return unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
}

const stepOf = (length: number): number => Math.max(1, length / SAMPLES);

function sampleOf(text: string, start: number, end: number): number[] {
  const step = stepOf(end - start);
  const sample: number[] = [];
  for (let at = start; at < end; at += step) sample.push(text.charCodeAt(Math.floor(at)));
  return sample;
}

const NO_FILES = { count: 0, length: 0 };

/** Finds the files in a body of JSON, which are strings without a blank. Reads the body once at most. */
function findFiles(text: string): { count: number; length: number } {
  const found = { count: 0, length: 0 };
  let blank = text.indexOf(" ");
  let start = 0;
  for (let strings = 0; start < text.length && strings < STRINGS_MAX; strings++) {
    const quote = text.indexOf('"', start);
    const end = quote < 0 ? text.length : quote;
    if (end - start >= FILE_LENGTH_MIN) {
      if (blank >= 0 && blank < start) blank = text.indexOf(" ", start);
      if ((blank < 0 || blank >= end) && sampleOf(text, start, end).every(isBase64)) {
        found.count++;
        found.length += end - start;
      }
    }
    start = end + 1;
  }
  return found;
}

/** Some JSON has a backslash before each slash. */
const isBase64 = (unit: number) => /[\w+/=\\-]/.test(String.fromCharCode(unit));
