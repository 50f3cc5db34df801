import { win32 } from "node:path";
import { usageError } from "../../errors.ts";
import { powershellQuote } from "../../shell-quote.ts";
import {
  type Machine,
  NOTHING,
  type Places,
  type Service,
  type ServiceManager,
  type Step,
  secretFiles,
  WRITTEN_BY,
} from "./service.ts";
import { xmlText } from "./xml-text.ts";

const { join } = win32;

/** Accounts by their security identifiers, whose names depend on the language of Windows. */
const LOCAL_SERVICE = "S-1-5-19";
const SYSTEM = "S-1-5-18";
const ADMINISTRATORS = "S-1-5-32-544";

/**
 * Runs services by the task scheduler of Windows. A service of Windows proper must answer the service manager, which a
 * console program does not. An administrator's task starts with the machine and runs as the account Local Service. Anybody
 * else's starts when they log on.
 */
export const scheduledTask: ServiceManager = {
  places,
  install(service, machine) {
    const { name } = service;
    const { description, keys, data } = places(name, machine);
    const folder = folderOf(name, machine);
    return {
      ...NOTHING,
      folders: [folder, keys, ...(service.data?.path === data ? [data] : [])],
      secure: [limitAccess(folder, machine)],
      files: [
        ...secretFiles(service),
        { path: join(folder, "run.cmd"), text: batchFile(service, machine), mode: 0o700 },
        { path: description, text: taskXml(service, machine), mode: 0o600, encoding: "utf16le" },
      ],
      steps: [
        { argv: ["schtasks", "/End", "/TN", name], mayFail: true },
        { argv: ["schtasks", "/Create", "/TN", name, "/XML", description, "/F"] },
        { argv: ["schtasks", "/Run", "/TN", name] },
      ],
    };
  },
  uninstall(name, machine) {
    const { description } = places(name, machine);
    return {
      ...NOTHING,
      steps: [
        { argv: ["schtasks", "/End", "/TN", name], mayFail: true },
        { argv: ["schtasks", "/Delete", "/TN", name, "/F"] },
      ],
      remove: [description, join(folderOf(name, machine), "run.cmd")],
    };
  },
  stop: (name) => [{ argv: ["schtasks", "/End", "/TN", name] }],
  start: (name) => [{ argv: ["schtasks", "/Run", "/TN", name] }],
  status: (name) => ["schtasks", "/Query", "/TN", name, "/V", "/FO", "LIST"],
  logs(name, machine, { follow }) {
    const path = powershellQuote(places(name, machine).log ?? "");
    const command = `Get-Content -LiteralPath ${path} -Tail 100${follow ? " -Wait" : ""}`;
    return ["powershell", "-NoProfile", "-Command", command];
  },
  notes: (_service, { isAdmin }) =>
    isAdmin
      ? ["The task runs as Local Service, which must be able to read the files that you named."]
      : ["The task ends when you log off. To run it always, install it as administrator."],
};

function folderOf(name: string, { isAdmin, home, env }: Machine): string {
  const base = isAdmin
    ? env["ProgramData"] || "C:\\ProgramData"
    : env["LOCALAPPDATA"] || join(home, "AppData\\Local");
  return join(base, name);
}

function places(name: string, machine: Machine): Places {
  const folder = folderOf(name, machine);
  return {
    description: join(folder, "task.xml"),
    keys: join(folder, "keys"),
    data: join(folder, "data"),
    log: join(folder, "service.log"),
  };
}

/** Windows passes the rights of a folder on to what is made in it. */
function limitAccess(folder: string, { isAdmin, user }: Machine): Step {
  const rights = isAdmin
    ? [`*${SYSTEM}:(OI)(CI)F`, `*${ADMINISTRATORS}:(OI)(CI)F`, `*${LOCAL_SERVICE}:(OI)(CI)M`]
    : [`${user}:(OI)(CI)F`];
  return { argv: ["icacls", folder, "/inheritance:r", "/grant:r", ...rights] };
}

/** A task has no variables of its own, and its output goes nowhere. So it runs a batch file. */
function batchFile(service: Service, machine: Machine): string {
  const { kind, name, executable, args, variables, inputs, data } = service;
  const { log = "" } = places(name, machine);
  const all = {
    ...variables,
    ...(data ? { CHATGPT_API_DATA: data.path } : {}),
    ...Object.fromEntries(inputs.map(({ variable, path }) => [variable, path])),
  };
  const words = [executable, ...args].map((word) => `"${batchText(word)}"`);
  return [
    "@echo off",
    `rem ${WRITTEN_BY} ${kind} install, which replaces this file when it is called again.`,
    // The paths are in UTF-8.
    "chcp 65001 >nul",
    ...Object.entries(all).map(([variable, value]) => `set "${variable}=${batchText(value)}"`),
    `${words.join(" ")} >> "${batchText(log)}" 2>&1`,
    "exit /b %errorlevel%",
    "",
  ].join("\r\n");
}

/** Returns the text for use between quotes. Nothing can escape a quote there. */
function batchText(text: string): string {
  if (text.includes('"'))
    throw usageError("A setting contains a quotation mark, which a batch file cannot pass on. Remove it.");
  return text.replaceAll("%", "%%");
}

function taskXml(service: Service, machine: Machine): string {
  const { kind, name } = service;
  const account = machine.isAdmin ? LOCAL_SERVICE : machine.user;
  const trigger = machine.isAdmin
    ? "<BootTrigger><Enabled>true</Enabled></BootTrigger>"
    : `<LogonTrigger><Enabled>true</Enabled><UserId>${xmlText(account)}</UserId></LogonTrigger>`;
  const logon = machine.isAdmin ? "" : "<LogonType>InteractiveToken</LogonType>";
  return [
    '<?xml version="1.0" encoding="UTF-16"?>',
    `<!-- ${WRITTEN_BY} ${kind} install, which replaces this file when it is called again. -->`,
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    `  <RegistrationInfo><Description>${xmlText(name)}</Description></RegistrationInfo>`,
    `  <Triggers>${trigger}</Triggers>`,
    "  <Principals>",
    `    <Principal id="Author"><UserId>${xmlText(account)}</UserId>${logon}<RunLevel>LeastPrivilege</RunLevel></Principal>`,
    "  </Principals>",
    "  <Settings>",
    "    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>",
    "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>",
    "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>",
    "    <StartWhenAvailable>true</StartWhenAvailable>",
    "    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>",
    // The default, 7, is below that of ordinary programs.
    "    <Priority>5</Priority>",
    "    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>",
    "  </Settings>",
    '  <Actions Context="Author">',
    `    <Exec><Command>${xmlText(join(folderOf(name, machine), "run.cmd"))}</Command></Exec>`,
    "  </Actions>",
    "</Task>",
    "",
  ].join("\r\n");
}
