/** Returns a text as it is compared by a search: “Zoë” is found by “zoe”, and “Straße” by “strasse”. */
export function searchable(text: string): string {
  const folded = text
    .normalize("NFKD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();
  return folded.replace(/[ßøæœłđ]/g, (letter) => LETTERS[letter] ?? letter);
}

/** Letters that Unicode does not take apart into a letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: "ss", ø: "o", æ: "ae", œ: "oe", ł: "l", đ: "d" },
};
