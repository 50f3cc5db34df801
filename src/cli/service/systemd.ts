import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isInHome } from "./home-folders.ts";
import {
  type InputFile,
  type Machine,
  NOTHING,
  type Places,
  type Plan,
  type Service,
  type ServiceManager,
  type Step,
  secretFiles,
  WRITTEN_BY,
} from "./service.ts";
import { hardening } from "./systemd-hardening.ts";
import { quoted, variable } from "./systemd-text.ts";
import { requestLines, updatePathUnit, updateUnitFiles, updateUnits } from "./systemd-updates.ts";

const UNITS = "/etc/systemd/system";

/** Runs services by systemd: of the system for root, and of the user for anybody else. */
export const systemd: ServiceManager = {
  places,
  install(service, machine) {
    const { description, keys } = places(service.name, machine);
    const needsKeys = service.inputs.some(({ path }) => path.startsWith(`${keys}/`));
    const unit = unitOf(service, machine);
    return {
      ...NOTHING,
      folders: [
        ...(needsKeys ? [keys] : []),
        ...(!machine.isAdmin && service.data !== undefined ? [service.data.path] : []),
      ],
      files: [
        ...secretFiles(service),
        { path: description, text: unit, mode: 0o644 },
        ...(service.mayUpdate ? updateUnits(service, machine, dirname(description)) : []),
      ],
      steps: [
        { argv: systemctl(machine, "daemon-reload") },
        { argv: systemctl(machine, "enable", unitName(service.name)) },
        // Starts a service that does not run.
        { argv: systemctl(machine, "restart", unitName(service.name)) },
        ...(service.mayUpdate
          ? [{ argv: systemctl(machine, "enable", "--now", updatePathUnit(service.name)) }]
          : endUpdates(service.name, machine)),
      ],
      remove: service.mayUpdate ? [] : updateUnitFiles(service.name, dirname(description)),
    };
  },
  uninstall(name, machine): Plan {
    const { description } = places(name, machine);
    const updates = updateUnitFiles(name, dirname(description));
    return {
      ...NOTHING,
      steps: [...endUpdates(name, machine), { argv: systemctl(machine, "disable", "--now", unitName(name)) }],
      remove: [description, ...updates],
      last: [
        { argv: systemctl(machine, "daemon-reload") },
        { argv: systemctl(machine, "reset-failed", unitName(name)), mayFail: true },
      ],
    };
  },
  stop: (name, machine) => [{ argv: systemctl(machine, "stop", unitName(name)) }],
  start: (name, machine) => [
    // It has failed too often for systemd if the version before did not start.
    { argv: systemctl(machine, "reset-failed", unitName(name)), mayFail: true },
    { argv: systemctl(machine, "start", unitName(name)) },
  ],
  status: (name, machine) => systemctl(machine, "status", "--no-pager", unitName(name)),
  isActive: (name, machine) => systemctl(machine, "is-active", "--quiet", unitName(name)),
  logs: (name, { isAdmin }, { follow }) => [
    "journalctl",
    ...(isAdmin ? [] : ["--user"]),
    ...["--unit", unitName(name), "--lines", "100", "--output", "cat"],
    ...(follow ? ["--follow"] : ["--no-pager"]),
  ],
  notes({ inputs, hasLowPort }, { isAdmin, user }) {
    const lines: string[] = [];
    if (!isAdmin)
      lines.push(
        `The service ends when you log out, and starts when you log in. To run it always: loginctl enable-linger ${user}`,
      );
    if (!isAdmin && hasLowPort)
      lines.push("Ports below 1024 are the system's. Install the service as root, or choose another port.");
    if (isAdmin && inputs.some(isOperators))
      lines.push("systemd reads the files that you named when the service starts. Restart it to renew them.");
    return lines;
  },
};

function places(name: string, { isAdmin, home, env }: Machine): Places {
  if (isAdmin)
    return {
      description: join(UNITS, unitName(name)),
      keys: join("/etc", name),
      data: join("/var/lib", name),
    };
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return {
    description: join(config, "systemd/user", unitName(name)),
    keys: join(config, name),
    data: join(env["XDG_DATA_HOME"] || join(home, ".local/share"), name),
  };
}

const unitName = (name: string) => `${name}.service`;

const systemctl = ({ isAdmin }: Machine, ...args: string[]) => [
  "systemctl",
  ...(isAdmin ? [] : ["--user"]),
  ...args,
];

/** Whether the file is not one that the installation wrote. */
function isOperators({ text, isGenerated, isPaired }: InputFile): boolean {
  return text === undefined && !isGenerated && !isPaired;
}

/** Returns the text of a unit. */
export function unitOf(service: Service, machine: Machine): string {
  const { kind, executable, args, packaged } = service;
  const isServer = kind === "serve";
  const network = machine.isAdmin ? ["Wants=network-online.target", "After=network-online.target"] : [];
  const words = [quoted(executable), ...args.map((arg) => quoted(arg).replaceAll("$", "$$$$"))];
  if (packaged?.argumentsFrom) words.push(`$${packaged.argumentsFrom}`);
  // systemd passes on a copy of the certificate, so a signal could not renew the certificate.
  const canReload = isServer && !(machine.isAdmin && service.inputs.some(({ id }) => id === "tls-cert"));
  const lines = [
    ...(packaged
      ? [`# Part of the package chatgpt-api-server. The settings are in ${packaged.settingsFile}.`]
      : [`# ${WRITTEN_BY} ${kind} install, which replaces this file when it is called again.`]),
    "# For changes of your own use `systemctl edit`.",
    "[Unit]",
    `Description=chatgpt-api-server${isServer ? "" : " agent"}`,
    ...network,
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${words.join(" ")}`,
    ...(canReload ? ["ExecReload=/bin/kill -HUP $MAINPID"] : []),
    ...(isServer ? ["Restart=on-failure"] : ["Restart=always", "RestartSec=30"]),
    // The exit code of wrong settings, which no restart cures.
    "RestartPreventExitStatus=2",
    `TimeoutStopSec=${Math.ceil(service.stopMs / 1000)}`,
    ...Object.entries(service.variables).map(([name, value]) => variable(name, value)),
    ...dataLines(service, machine),
    ...(service.mayUpdate ? requestLines(service.name, machine) : []),
    ...service.inputs.flatMap((input) => inputLines(input, machine)),
    // Its variables replace those above.
    ...(packaged ? [`EnvironmentFile=${packaged.settingsFile}`] : []),
    ...hardening({ isSystem: machine.isAdmin, ...service }),
    "",
    "[Install]",
    `WantedBy=${machine.isAdmin ? "multi-user.target" : "default.target"}`,
    "",
  ];
  return lines.join("\n");
}

/** Ends the updates that an earlier installation may have allowed. */
function endUpdates(name: string, machine: Machine): Step[] {
  const isThere = updateUnitFiles(name, dirname(places(name, machine).description)).some(existsSync);
  const argv = systemctl(machine, "disable", "--now", updatePathUnit(name));
  return isThere ? [{ argv, mayFail: true }] : [];
}

/** systemd passes a system's service copies of the files, as its user may not read those of root. */
function inputLines({ id, variable: name, path }: InputFile, { isAdmin }: Machine): string[] {
  if (!isAdmin) return [variable(name, path)];
  return [`LoadCredential=${id}:${path.replaceAll("%", "%%")}`, `Environment=${name}=%d/${id}`];
}

function dataLines({ name, data, packaged }: Service, { isAdmin }: Machine): string[] {
  const user = packaged?.user === undefined ? "DynamicUser=yes" : `User=${packaged.user}`;
  if (data === undefined) return isAdmin ? [user] : [];
  const lines = [variable("CHATGPT_API_DATA", data.path)];
  if (!isAdmin) return lines;
  if (data.owner === undefined) return [user, `StateDirectory=${name}`, "StateDirectoryMode=0700", ...lines];
  const path = quoted(data.path);
  return [
    `User=${data.owner}`,
    ...lines,
    isInHome(data.path) ? `BindPaths=${path}` : `ReadWritePaths=${path}`,
  ];
}
