import type { Flags } from "../args.ts";

/** Lets the server ask the agent to update itself. */
export const ALLOW_UPDATE_FLAG = {
  "allow-update": { help: "Let the server's administrator ask the installed agent to update itself." },
} as const satisfies Flags;

export const UPDATE_FLAGS = {
  check: { help: "Only say whether there is a newer version. The exit code is then 10, and else 0." },
  rollback: { help: "Go back to the executable that the last update replaced." },
  downgrade: { help: "Allow a version that is older than this one." },
  data: { value: "<folder>", help: "Data folder that the new version must be able to open. (the service's)" },
  "ready-within": { value: "<time>", help: "How long a service may take until it is ready. (1m)" },
  "no-restart": { help: "Replace the executable, and leave the running services alone." },
  requested: {
    value: "<file>",
    help: "Only if the file exists, which is removed: a service wrote it.",
    hidden: true,
  },
} as const satisfies Flags;
