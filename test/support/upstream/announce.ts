/**
 * Prints the port as one JSON line. With the argument `--with-parent` the process ends when its standard
 * input does, so that it does not outlive a test run that was killed.
 */
export function announce(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  if (process.argv.includes("--with-parent")) process.stdin.resume().on("end", () => process.exit(0));
}
