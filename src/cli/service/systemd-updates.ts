import { join } from "node:path";
import {
  type Machine,
  type PlannedFile,
  type Service,
  updateName,
  updateVariables,
  WRITTEN_BY,
} from "./service.ts";
import { quoted, variable } from "./systemd-text.ts";

/*
 * A service of the system may not replace its own executable. So it creates a file, which a path unit waits for. That
 * starts a unit that updates the program as the owner of the executable, outside of the service that it restarts.
 */

export const updatePathUnit = (name: string) => `${updateName(name)}.path`;

export function updateUnitFiles(name: string, folder: string): string[] {
  return [updatePathUnit(name), `${updateName(name)}.service`].map((unit) => join(folder, unit));
}

/** The folder for the request, which systemd makes for the service. */
const requestIn = (folder: string, name: string) => `${folder}/${name}/update`;

/** Returns the lines of the service's unit that let it ask for an update. */
export function requestLines(name: string, { isAdmin }: Machine): string[] {
  return [
    `RuntimeDirectory=${name}`,
    "RuntimeDirectoryMode=0700",
    `Environment=CHATGPT_API_UPDATE_REQUEST=${requestIn(isAdmin ? "/run" : "%t", name)}`,
  ];
}

/** Returns the units that update the program when the service asks for it. */
export function updateUnits(service: Service, machine: Machine, folder: string): PlannedFile[] {
  const { kind, name, executable, variables } = service;
  const [path = "", unit = ""] = updateUnitFiles(name, folder);
  const head = `# ${WRITTEN_BY} ${kind} install, which replaces this file when it is called again.`;
  const [request = ""] = requestPaths(machine, name);
  const pathLines = [
    head,
    "[Unit]",
    `Description=Requests of ${name} to be updated`,
    "",
    "[Path]",
    ...requestPaths(machine, name).map((each) => `PathExists=${each}`),
    `Unit=${updateName(name)}.service`,
    "",
    "[Install]",
    `WantedBy=${machine.isAdmin ? "multi-user.target" : "default.target"}`,
    "",
  ];
  const unitLines = [
    head,
    "[Unit]",
    `Description=Update of ${name}`,
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=${quoted(executable)} update --requested ${request}`,
    ...Object.entries(updateVariables(variables)).map(([key, value]) => variable(key, value)),
    "",
  ];
  return [
    { path, text: pathLines.join("\n"), mode: 0o644 },
    { path: unit, text: unitLines.join("\n"), mode: 0o644 },
  ];
}

/** systemd keeps the folder of a service with a dynamic user elsewhere, and links to it. */
function requestPaths({ isAdmin }: Machine, name: string): string[] {
  return isAdmin ? [requestIn("/run", name), requestIn("/run/private", name)] : [requestIn("%t", name)];
}
