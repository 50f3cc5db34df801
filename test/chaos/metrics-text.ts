/** Returns the samples of a text in Prometheus' format, each with its labels in its name. */
export function readExposition(text: string): { name: string; value: number }[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const blank = line.lastIndexOf(" ");
    return { name: line.slice(0, blank), value: Number(line.slice(blank + 1)) };
  });
}
