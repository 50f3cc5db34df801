import { managerOf } from "../../src/cli/service/machine.ts";
import { readAgentInstall, readServerInstall } from "../../src/cli/service/read-install.ts";
import type { Machine, Plan, Service, ServiceKind } from "../../src/cli/service/service.ts";

export const LINUX_ROOT: Machine = {
  platform: "linux",
  isAdmin: true,
  uid: 0,
  user: "root",
  home: "/root",
  env: {},
};

/** Returns what `<kind> install` with the arguments would do on a machine. */
export function planOf(
  kind: ServiceKind,
  args: readonly string[],
  machine: Machine = LINUX_ROOT,
  executable = "/usr/local/bin/chatgpt-api-server",
): Plan & { service: Service; description: string } {
  const manager = managerOf(machine);
  const places = (name: string) => manager.places(name, machine);
  const read = kind === "serve" ? readServerInstall : readAgentInstall;
  const { service } = read(args, { machine, executable, places });
  const plan = manager.install(service, machine);
  const path = places(service.name).description;
  const description = plan.files.find((file) => file.path === path)?.text ?? "";
  return { ...plan, service, description };
}
