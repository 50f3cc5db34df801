import type { Environment } from "../../config/read.ts";

export type ServiceKind = "serve" | "agent";

/** The machine that a service is installed on, and the user who installs it. */
export interface Machine {
  platform: string;
  /** Whether the user administers the machine: root, or an elevated process of Windows. The service is then the system's. */
  isAdmin: boolean;
  /** The number of the user. Not used on Windows. */
  uid: number;
  /** The name of the user; for root, of the user who called sudo, if there is one. */
  user: string;
  home: string;
  env: Environment;
}

/** A file that the service reads: a secret, a certificate. */
export interface InputFile {
  /** A name such as `admin-key`. */
  id: string;
  /** The variable of the service that has the path. */
  variable: string;
  path: string;
  /** The content, if the installation writes the file. Otherwise the file is the operator's. */
  text?: string;
  /** Whether the installation generates a key as the content, unless the file exists. */
  isGenerated?: true;
  /** Whether the content is the key that the installation gets for a pairing code. */
  isPaired?: true;
}

/** A server or an agent that the system starts and keeps running. */
export interface Service {
  kind: ServiceKind;
  /** The name of the unit, of the launchd job, or of the task. */
  name: string;
  executable: string;
  /** The arguments, without secrets. The settings are in `variables` and `inputs`. */
  args: readonly string[];
  variables: Readonly<Record<string, string>>;
  inputs: readonly InputFile[];
  /** The data folder of a server. Absent for an agent. */
  data?: DataFolder;
  /** The port of a server that only the system may open. */
  hasLowPort: boolean;
  /** How long the service may take to stop. */
  stopMs: number;
  /** Whether the service may ask the system to update it. */
  mayUpdate: boolean;
  /** Set if a package of the system, such as a .deb, installs the unit. */
  packaged?: Packaged;
}

/** A service of a package: its settings are in a file that the operator edits. */
export interface Packaged {
  /** Has lines such as `CHATGPT_API_HOST=127.0.0.1`. Only root may read it. */
  settingsFile: string;
  /** The user of the system that the package creates. Default: a dynamic one. */
  user?: string;
  /** The variable in the file whose words follow the arguments. */
  argumentsFrom?: string;
}

export interface DataFolder {
  path: string;
  /** The number of the user who owns the folder, if the operator named a folder. Otherwise the installation chooses it. */
  owner?: number;
}

export interface PlannedFile {
  path: string;
  /** Such as 0o600. Windows has no modes: `Plan.secure` limits who may read the folder. */
  mode: number;
  text: string;
  /** Whether nobody may see the text. */
  isSecret?: true;
  /** Default: UTF-8. */
  encoding?: "utf16le";
}

export interface Step {
  argv: readonly string[];
  /** Whether the plan goes on if the program fails, such as when it stops a service that does not run. */
  mayFail?: true;
  /** How often to try, a second apart. Default: once. */
  tries?: number;
}

/** Everything that an installation or a removal changes, in the order of the fields. */
export interface Plan {
  /** Folders to create, with mode 700. */
  folders: readonly string[];
  /** Run before any file is written, to limit who may read the folders. */
  secure: readonly Step[];
  files: readonly PlannedFile[];
  steps: readonly Step[];
  /** Files to remove, if they exist. */
  remove: readonly string[];
  /** Run when the files are removed. */
  last: readonly Step[];
}

export const NOTHING: Plan = { folders: [], secure: [], files: [], steps: [], remove: [], last: [] };

/** The first words of each file that describes a service. Another file of the same name is not replaced. */
export const WRITTEN_BY = "Written by chatgpt-api-server";

/** The places of a service's parts on a machine. */
export interface Places {
  /** The unit, the property list, or the task's XML. */
  description: string;
  /** Has mode 700. Contains the secrets. */
  keys: string;
  /** The data folder, if none is given. */
  data: string;
  /** The log file, where the system keeps none. */
  log?: string;
}

/** The way that one platform runs services. No function changes anything. */
export interface ServiceManager {
  places(name: string, machine: Machine): Places;
  install(service: Service, machine: Machine): Plan;
  uninstall(name: string, machine: Machine): Plan;
  status(name: string, machine: Machine): readonly string[];
  /** Stops the service, which finishes its running requests first, until `start`. */
  stop(name: string, machine: Machine): readonly Step[];
  start(name: string, machine: Machine): readonly Step[];
  /** Returns a command that fails if the service does not run, where there is one. */
  isActive?(name: string, machine: Machine): readonly string[];
  logs(name: string, machine: Machine, options: { follow: boolean }): readonly string[];
  /** Sentences for the user who has installed the service. */
  notes(service: Service, machine: Machine): string[];
}

/** Returns the name of the job that updates a service. No service has it, as names of services have no dots. */
export const updateName = (name: string) => `${name}.update`;

/** The variables of a service that its updates need: the source, and the way to it. */
const UPDATE_VARIABLES =
  /^(CHATGPT_API_(UPDATE_FROM|REQUIRE_PROVENANCE)|(HTTP|HTTPS|ALL|NO)_PROXY|(http|https|all|no)_proxy)$/;

export function updateVariables(variables: Service["variables"]): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => UPDATE_VARIABLES.test(name)));
}

/** Returns the files with the secrets that the installation was given. */
export function secretFiles({ inputs }: Service): PlannedFile[] {
  return inputs.flatMap(({ path, text }) =>
    text === undefined ? [] : [{ path, text: `${text}\n`, mode: 0o600, isSecret: true }],
  );
}
