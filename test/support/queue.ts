import { until } from "./until.ts";

/** Resolves once `count` asks wait for a slot. */
export function untilWaiting(url: string, adminKey: string, count: number): Promise<void> {
  const line = new RegExp(`queue_length ${count}$`, "m");
  return until(async () => {
    const response = await fetch(`${url}/metrics`, { headers: { authorization: adminKey } });
    return line.test(await response.text());
  });
}
