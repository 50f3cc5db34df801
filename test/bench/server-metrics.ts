import type { Target } from "./workshop.ts";

/** Resolves with the sum of all samples of a metric of the server. */
export async function metricOf({ port, adminKey }: Target, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${adminKey}` };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  const samples = text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
