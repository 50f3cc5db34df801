/** Reads names separated by commas or line ends. Returns undefined if there are none. */
export function readNameList(text: string): string[] | undefined {
  const names = text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length > 0 ? [...new Set(names)] : undefined;
}
