import { healthStatus, localAddress } from "../health.ts";
import { managerOf } from "../service/machine.ts";
import { passes, runStep } from "../service/runner.ts";
import type { Machine } from "../service/service.ts";
import type { InstalledService } from "./installed.ts";

/** Returns those of the services that run. The others are left as they are. */
export async function runningOf(
  services: readonly InstalledService[],
  machine: Machine,
): Promise<InstalledService[]> {
  const running: InstalledService[] = [];
  for (const service of services) if (await isActive(service, machine)) running.push(service);
  return running;
}

/** Stops a service, which finishes its running requests first. Throws a `CommandError` if that fails. */
export async function stopService({ name }: InstalledService, machine: Machine): Promise<void> {
  for (const step of managerOf(machine).stop(name, machine)) await runStep(step, machine);
}

/** Starts a service. Resolves before it is ready. Throws a `CommandError` if that fails. */
export async function startService({ name }: InstalledService, machine: Machine): Promise<void> {
  for (const step of managerOf(machine).start(name, machine)) await runStep(step, machine);
}

const LOOK_EVERY_MS = 250;
/** An agent has no port. It counts as ready when it has run for this long. */
const AGENT_STABLE_MS = 3_000;

/** Resolves with whether a service that was started becomes ready within the time. */
export async function becomesReady(
  service: InstalledService,
  machine: Machine,
  withinMs: number,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  let runsSince: number | undefined;
  while (performance.now() < until) {
    const isUp = (await isActive(service, machine)) && (service.kind === "agent" || (await answers(service)));
    if (!isUp) runsSince = undefined;
    else if (service.kind === "serve") return true;
    else {
      runsSince ??= performance.now();
      if (performance.now() - runsSince >= Math.min(AGENT_STABLE_MS, withinMs / 2)) return true;
    }
    await Bun.sleep(LOOK_EVERY_MS);
  }
  return false;
}

/** Whether the service runs, or, where the system does not tell that, whether the system knows it. */
async function isActive({ name }: InstalledService, machine: Machine): Promise<boolean> {
  const manager = managerOf(machine);
  return await passes(manager.isActive?.(name, machine) ?? manager.status(name, machine), machine.env);
}

const ANSWER_MS = 2_000;

/** Whether the server says that it can serve requests, whether or not it has agents. */
async function answers({ variable }: InstalledService): Promise<boolean> {
  const domains = variable("CHATGPT_API_DOMAIN")?.split(",");
  const config = {
    port: Number(variable("CHATGPT_API_PORT") ?? (domains ? 443 : 8080)),
    domains,
    host: variable("CHATGPT_API_HOST"),
    tlsCert: variable("CHATGPT_API_TLS_CERT"),
  };
  const url = new URL("/ready?agents=0", localAddress(config));
  return await healthStatus(url, ANSWER_MS, true).then(
    (status) => status === 200,
    () => false,
  );
}
