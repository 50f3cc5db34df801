/** The id is near the beginning of a response, and of the event that begins one. */
const HEAD_LENGTH = 2048;
const FIRST_ID = /"id"\s*:\s*"([\w.:-]{1,256})"/;

/** Returns the id of the response that begins with this text, which may be long; undefined if there is none. */
export function responseIdOf(text: string): string | undefined {
  return text.slice(0, HEAD_LENGTH).match(FIRST_ID)?.[1];
}
