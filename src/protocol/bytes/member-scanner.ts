/*
 * Finds a few small members of a JSON object in its bytes as they pass, so that an answer of any length can be read
 * without being held. It is no parser: in text that is not JSON it finds nothing, or something harmless.
 */

/** The longest value, and the longest name, that is kept. */
const VALUE_LENGTH_MAX = 4096;
const NAME_LENGTH_MAX = 32;

const SPACE = 0x20;
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

interface WantedMembers {
  /** The names of the members to find. */
  values: ReadonlySet<string>;
  /** The name of the list whose elements are counted. */
  list: string;
}

/** Reads one JSON document, piece by piece. */
export class MemberScanner {
  /** The JSON of each member at the top level that is wanted and short. Characters outside of ASCII are wrong in it. */
  readonly values = new Map<string, string>();
  /** How many elements the list has so far. */
  elements = 0;
  #depth = 0;
  #isObject = false;
  /** Whether the present member's name is complete. */
  #isInValue = false;
  #name = "";
  /** The text of the present value; undefined if it is not wanted, or too long. */
  #value: string | undefined;
  #isInList = false;
  /** Whether the present element of the list has begun. */
  #isInElement = false;
  #isInString = false;
  /** Whether the string so far ends with a backslash that escapes what follows. */
  #isEscaped = false;

  constructor(private readonly wanted: WantedMembers) {}

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; )
      if (this.#isInString) at = this.#readString(bytes, at);
      else this.#read(bytes[at++] ?? SPACE);
  }

  /** Reads on in a string, quickly, as it may be an image. Returns the position after what it has read. */
  #readString(bytes: Uint8Array, from: number): number {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote === -1 ? bytes.byteLength : quote;
    let slashes = 0;
    while (end - slashes > from && bytes[end - slashes - 1] === BACKSLASH) slashes++;
    if (end - slashes === from && this.#isEscaped) slashes++;
    this.#isEscaped = quote === -1 && slashes % 2 === 1;
    this.#isInString = quote === -1 || slashes % 2 === 1;
    const next = quote === -1 ? end : end + 1;
    this.#keep(bytes, from, next);
    return next;
  }

  /** Reads a byte outside of strings. */
  #read(byte: number): void {
    if (byte <= SPACE) return;
    const isTop = this.#depth === 1 && this.#isObject;
    if (isTop && (byte === COMMA || byte === CLOSE_OBJECT)) this.#endMember();
    else if (isTop && byte === COLON) this.#beginValue();
    else {
      this.#countElement(byte);
      this.#add(String.fromCharCode(byte));
    }
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte, isTop);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#depth = Math.max(this.#depth - 1, 0);
  }

  #open(byte: number, isTop: boolean): void {
    if (this.#depth === 0) this.#isObject = byte === OPEN_OBJECT;
    if (isTop) this.#isInList = byte === OPEN_LIST && this.#isInValue && this.#name === this.wanted.list;
    this.#depth++;
  }

  #countElement(byte: number): void {
    if (!this.#isInList || this.#depth !== 2) return;
    if (byte === CLOSE_LIST) this.#isInList = this.#isInElement = false;
    else if (byte === COMMA) this.#isInElement = false;
    else if (!this.#isInElement) {
      this.#isInElement = true;
      this.elements++;
    }
  }

  #beginValue(): void {
    this.#name = this.#name.slice(1, -1);
    this.#isInValue = true;
    this.#value = this.wanted.values.has(this.#name) ? "" : undefined;
  }

  #endMember(): void {
    if (this.#value !== undefined) this.values.set(this.#name, this.#value);
    this.#value = undefined;
    this.#isInValue = this.#isInList = this.#isInElement = false;
    this.#name = "";
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const isName = !this.#isInValue && this.#depth === 1;
    if (!isName && this.#value === undefined) return;
    const end = Math.min(to, from + VALUE_LENGTH_MAX + 1);
    this.#add(String.fromCharCode(...bytes.subarray(from, end)));
  }

  /** Adds text to the present name or value. */
  #add(text: string): void {
    if (this.#isInValue) {
      if (this.#value === undefined) return;
      const longer = this.#value + text;
      this.#value = longer.length > VALUE_LENGTH_MAX ? undefined : longer;
    } else if (this.#depth === 1) this.#name = (this.#name + text).slice(0, NAME_LENGTH_MAX);
  }
}
