import { expect } from "bun:test";
import { readdir } from "node:fs/promises";
import type { Scene } from "./scene.ts";
import { until } from "./until.ts";

/**
 * Resolves with the number of files and sockets that the server has open; undefined if the system does not
 * tell.
 */
export async function openFiles({ server }: Scene): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  return (await readdir(`/proc/${server.pid}/fd`)).length;
}

/** Ends the server after its agents, and checks that it has no agent, ask, slot, timer or socket left. */
export async function expectNothingLeft(scene: Scene, filesBefore: number | undefined): Promise<void> {
  await until(async () => (await scene.connections()).length === 0);
  if (filesBefore !== undefined) await until(async () => Number(await openFiles(scene)) <= filesBefore + 1);
  scene.server.kill("SIGTERM");
  const [line] = await scene.server.output(/^.*"event":"draining".*$/m);
  expect(JSON.parse(line)).toMatchObject({
    agents: 0,
    asks_waiting: 0,
    asks_running: 0,
    slots_in_use: 0,
    timers: 0,
  });
  expect(await scene.server.exited).toEqual({ code: 0, signal: null });
}
