import type { Flags } from "../args.ts";

const ACTIONS = ["install", "uninstall", "status", "logs"] as const;

/** An action on a service, as the word after `serve` or `agent` names it. */
export type ServiceAction = (typeof ACTIONS)[number];

export const NAME_FLAG = {
  "service-name": { value: "<name>", help: "Which one of several services of this machine." },
} as const satisfies Flags;

export const INSTALL_FLAGS = {
  ...NAME_FLAG,
  "dry-run": { help: "Print what would be written and run, and change nothing." },
} as const satisfies Flags;

export const LOGS_FLAGS = {
  ...NAME_FLAG,
  follow: { help: "Go on with what is logged from then on." },
} as const satisfies Flags;

/** The flags of `install`, `uninstall`, `status` and `logs`, for help texts. */
export const SERVICE_FLAGS: Flags = {
  "service-name": NAME_FLAG["service-name"],
  "dry-run": { help: `install, uninstall: ${INSTALL_FLAGS["dry-run"].help}` },
  follow: { help: `logs: ${LOGS_FLAGS.follow.help}` },
};

export function isServiceAction(word: string | undefined): word is ServiceAction {
  return ACTIONS.some((action) => action === word);
}
