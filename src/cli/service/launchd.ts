import { join } from "node:path";
import {
  type Machine,
  NOTHING,
  type Places,
  type Service,
  type ServiceKind,
  type ServiceManager,
  type Step,
  secretFiles,
  updateName,
  updateVariables,
  WRITTEN_BY,
} from "./service.ts";
import { xmlText } from "./xml-text.ts";

/** launchd removes a job in the background, and refuses a new one of the same name until then. */
const BOOTSTRAP_TRIES = 60;

/** Runs services by launchd: as a daemon with the user who called sudo, or as an agent of the user who has logged in. */
export const launchd: ServiceManager = {
  places,
  install(service, machine) {
    const { name, data } = service;
    const { description, keys, log = "" } = places(name, machine);
    const own = [keys, join(log, ".."), ...(data && data.owner === undefined ? [data.path] : [])];
    return {
      ...NOTHING,
      folders: own,
      files: [
        ...secretFiles(service),
        { path: description, text: propertyList(service, machine), mode: 0o644 },
        ...(service.mayUpdate ? updateJob(service, machine).files : []),
      ],
      steps: [
        ...(machine.isAdmin ? [{ argv: ["chown", "-R", machine.user, ...own] }] : []),
        { argv: ["launchctl", "bootout", target(name, machine)], mayFail: true },
        { argv: ["launchctl", "enable", target(name, machine)] },
        bootstrap(name, machine),
        ...(service.mayUpdate ? updateJob(service, machine).steps : [endUpdates(name, machine)]),
      ],
      remove: service.mayUpdate ? [] : [places(updateName(name), machine).description],
    };
  },
  uninstall: (name, machine) => ({
    ...NOTHING,
    steps: [
      endUpdates(name, machine),
      { argv: ["launchctl", "bootout", target(name, machine)], mayFail: true },
    ],
    remove: [places(name, machine).description, places(updateName(name), machine).description],
  }),
  stop: (name, machine) => [{ argv: ["launchctl", "bootout", target(name, machine)] }],
  start: (name, machine) => [bootstrap(name, machine)],
  status: (name, machine) => ["launchctl", "print", target(name, machine)],
  logs: (name, machine, { follow }) => [
    ...["tail", "-n", "100", ...(follow ? ["-F"] : [])],
    places(name, machine).log ?? "",
  ],
  notes: (service, { isAdmin, user }) =>
    isAdmin
      ? [`The service runs as ${user}, who must be able to read the files that you named.`]
      : [`The service of ${service.name} ends when you log out. To run it always, install it with sudo.`],
};

function places(name: string, { isAdmin, home }: Machine): Places {
  const library = isAdmin ? "/Library" : join(home, "Library");
  const support = join(library, "Application Support", name);
  return {
    description: join(library, isAdmin ? "LaunchDaemons" : "LaunchAgents", `${name}.plist`),
    keys: join(support, "keys"),
    data: join(support, "data"),
    log: join(library, "Logs", name, "service.log"),
  };
}

const domain = ({ isAdmin, uid }: Machine) => (isAdmin ? "system" : `gui/${uid}`);
const target = (name: string, machine: Machine) => `${domain(machine)}/${name}`;

/** Starts the job, once launchd has removed an earlier one of the same name. */
const bootstrap = (name: string, machine: Machine): Step => ({
  argv: ["launchctl", "bootstrap", domain(machine), places(name, machine).description],
  tries: BOOTSTRAP_TRIES,
});

/** Ends the updates that an earlier installation may have allowed. */
const endUpdates = (name: string, machine: Machine): Step => ({
  argv: ["launchctl", "bootout", target(updateName(name), machine)],
  mayFail: true,
});

/** The file that a service creates to ask for an update, in a folder of the service's user. */
const requestFile = (name: string, machine: Machine) => join(places(name, machine).keys, "update");

/** Returns the job that updates the program when the service asks for it. It runs as the owner of the program. */
function updateJob({ kind, name, executable, variables }: Service, machine: Machine) {
  const job = updateName(name);
  const { description } = places(job, machine);
  const request = requestFile(name, machine);
  const { log = "" } = places(name, machine);
  const text = jobText(kind, {
    Label: job,
    ProgramArguments: [executable, "update", "--requested", request],
    EnvironmentVariables: { ...updateVariables(variables), PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    WatchPaths: [request],
    StandardOutPath: log,
    StandardErrorPath: log,
  });
  return {
    files: [{ path: description, text, mode: 0o644 }],
    steps: [endUpdates(name, machine), bootstrap(job, machine)],
  };
}

const PAUSE_S: Record<ServiceKind, number> = { serve: 10, agent: 30 };

function propertyList(service: Service, machine: Machine): string {
  const { kind, name, executable, args, variables, inputs, data, stopMs } = service;
  const { log = "" } = places(name, machine);
  const files = Object.fromEntries(inputs.map(({ variable, path }) => [variable, path]));
  const job = {
    Label: name,
    ...(machine.isAdmin ? { UserName: machine.user } : {}),
    ProgramArguments: [executable, ...args],
    EnvironmentVariables: {
      ...variables,
      ...(data ? { CHATGPT_API_DATA: data.path } : {}),
      ...files,
      ...(service.mayUpdate ? { CHATGPT_API_UPDATE_REQUEST: requestFile(name, machine) } : {}),
    },
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: PAUSE_S[kind],
    ExitTimeOut: Math.ceil(stopMs / 1000),
    StandardOutPath: log,
    StandardErrorPath: log,
    Umask: 0o077,
    // A core dump would contain the keys.
    HardResourceLimits: { Core: 0 },
    SoftResourceLimits: { Core: 0, NumberOfFiles: kind === "serve" ? 65_536 : 4096 },
  };
  return jobText(kind, job);
}

function jobText(kind: ServiceKind, job: Value): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<!-- ${WRITTEN_BY} ${kind} install, which replaces this file when it is called again. -->`,
    '<plist version="1.0">',
    ...element(job, ""),
    "</plist>",
    "",
  ].join("\n");
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

function element(value: Value, indent: string): string[] {
  if (typeof value === "string") return [`${indent}<string>${xmlText(value)}</string>`];
  if (typeof value === "number") return [`${indent}<integer>${value}</integer>`];
  if (typeof value === "boolean") return [`${indent}<${value}/>`];
  const inner = `${indent}  `;
  if (Array.isArray(value))
    return [`${indent}<array>`, ...value.flatMap((item: Value) => element(item, inner)), `${indent}</array>`];
  const entries = Object.entries(value).flatMap(([key, item]) => [
    `${inner}<key>${xmlText(key)}</key>`,
    ...element(item, inner),
  ]);
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`];
}
