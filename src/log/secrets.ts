import { printable } from "../printable.ts";

const SECRET_LENGTH_MIN = 8;

/** The characters of log lines, the most common first. Any other character is rarer than these. */
const COMMON = '":,e0a1-d5b4c8t3n2i7f96osr_mlp{}u. yghkvwxj/zTZ';

/** Hides secrets in texts, wherever they appear. Those shorter than 8 characters would hide ordinary words. */
export class Secrets {
  /** Each secret with its rarest character: the search for one character costs a fifth of that for a text. */
  readonly #secrets: { text: string; rarest: string }[] = [];

  add(secret: string): void {
    if (secret.length < SECRET_LENGTH_MIN) return;
    // Also as it is escaped in a line, as JSON or as text.
    for (const text of [secret, printable(JSON.stringify(secret)).slice(1, -1), printable(secret)]) {
      if (this.#secrets.some((known) => known.text === text)) continue;
      this.#secrets.push({ text, rarest: rarestOf(text) });
    }
  }

  hide(text: string): string {
    let shown = text;
    for (const secret of this.#secrets) {
      if (shown.includes(secret.rarest) && shown.includes(secret.text)) {
        shown = shown.replaceAll(secret.text, "***");
      }
    }
    return shown;
  }
}

function rarestOf(text: string): string {
  const rank = (unit: string) => COMMON.indexOf(unit) >>> 0;
  return text.split("").reduce((rarest, unit) => (rank(unit) > rank(rarest) ? unit : rarest));
}
