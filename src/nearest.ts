/** Returns the candidate that the word is a typing mistake for, if there is one. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/^-+/, "").replaceAll("_", "-");
  const isNear = (name: string, max: number) => max <= name.length / 3 && isWithin(max, plain(word), name);
  for (const max of [0, 1, 2]) {
    const found = candidates.find((name) => isNear(plain(name), max));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether at most `max` letters must be added, dropped, replaced, or swapped with their neighbor. */
function isWithin(max: number, a: string, b: string): boolean {
  if (max < 0) return false;
  if (a === "" || b === "") return a.length + b.length <= max;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return isWithin(max, restA, restB);
  const isSwapped = a[0] === b[1] && a[1] === b[0];
  return (
    isWithin(max - 1, restA, b) ||
    isWithin(max - 1, a, restB) ||
    isWithin(max - 1, restA, restB) ||
    (isSwapped && isWithin(max - 1, a.slice(2), b.slice(2)))
  );
}
