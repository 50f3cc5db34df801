import { homedir } from "node:os";
import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { printable, printableLines } from "../printable.ts";
import { readArgs } from "./args.ts";
import { CLIENTS, type Client, type ClientName, type Target } from "./client/clients.ts";
import { freshText, readConfiguration } from "./client/edit.ts";
import { isThere, readUserFile, writeUserFile } from "./client/file.ts";
import { FORMATS } from "./client/formats.ts";
import type { Machine } from "./client/places.ts";
import { checkIsNoAdmin, fetchModels, readServer, startWith } from "./client/server.ts";
import { readToken } from "./client/token.ts";
import { COMMANDS } from "./commands.ts";
import type { Command, Terminal } from "./terminal.ts";

/** Names that clients have given to providers of their own. */
const RESERVED = ["openai", "ollama", "lmstudio", "anthropic"];

/** Prints or writes the configuration of a client for a server. */
export const client: Command = async (args, io) => {
  const { flags, positionals } = readArgs(
    { args, env: io.env },
    { settings: [], flags: COMMANDS.client.flags },
  );
  const chosen = chooseClient(positionals);
  const { provider = "mine", write } = flags;
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(provider) || RESERVED.includes(provider))
    throw usageError(
      `--provider is not valid. Give lower-case letters, digits and dashes, and none of: ${RESERVED.join(", ")}.`,
    );
  if (write && !chosen.places)
    throw usageError(`${chosen.title} has no configuration file. Leave out --write to see what to set.`);
  if (flags.file !== undefined && !write) throw usageError("--file belongs to --write. Add it.");
  const url = readServer(flags.server ?? "http://localhost:8080");
  const ask =
    io.askSecret &&
    (() => io.askSecret?.(`Token for ${printable(url)} (it is not shown): `) ?? Promise.resolve(undefined));
  const token = await readToken({ token: flags.token, tokenFile: flags["token-file"], env: io.env, ask });
  const [offered] = await Promise.all([fetchModels(url, token), checkIsNoAdmin(url, token)]);
  const path = flags.file ?? findFile(chosen, machineOf(io));
  const targetFor = (configured: unknown): Target => ({
    ...{ url, token, provider },
    ...startWith(offered, flags.model, configured),
  });
  if (write && path !== undefined) writeConfiguration(chosen, path, provider, targetFor, io);
  else print(chosen, path, targetFor(undefined), io);
  return 0;
};

function chooseClient([word, ...more]: readonly string[]): Client {
  const names = Object.keys(CLIENTS);
  if (word !== undefined && Object.hasOwn(CLIENTS, word) && more.length === 0)
    return CLIENTS[word as ClientName];
  const meant = word === undefined ? undefined : nearest(word, names);
  throw usageError(
    meant && more.length === 0
      ? `The client is not known. Did you mean ${meant}?`
      : `Give one client: ${names.join(", ")}.`,
  );
}

function machineOf({ env }: Terminal): Machine {
  const { platform } = process;
  return { platform, env, home: env[platform === "win32" ? "USERPROFILE" : "HOME"] || homedir() };
}

/** Returns the file that the client reads on this machine. */
function findFile({ places }: Client, machine: Machine): string | undefined {
  const paths = places?.(machine) ?? [];
  return paths.find(isThere) ?? paths.at(-1);
}

function writeConfiguration(
  { title, format, holdsToken, wanted, modelIn, notes }: Client,
  path: string,
  provider: string,
  targetFor: (configured: unknown) => Target,
  io: Terminal,
): void {
  const file = readUserFile(path);
  const configuration = readConfiguration(file.text, format, path);
  const target = targetFor(modelIn?.(configuration.value, provider));
  const text = configuration.with(wanted(target));
  const isOpen = holdsToken && process.platform !== "win32" && ((file.mode ?? 0) & 0o077) !== 0;
  if (text === file.text && !isOpen) {
    io.out(`${printable(path)} is up to date.\n`);
    return;
  }
  const copy = writeUserFile(file, { text, isSecret: holdsToken, now: Date.now() });
  const lines = [
    `Wrote ${path}: ${title} uses the model ${target.model.id} of ${target.url}.`,
    ...(copy === undefined ? [] : [`The old file is ${copy}.`]),
    ...notes(target),
  ];
  io.out(lines.map((line) => `${printable(line)}\n`).join(""));
}

/** Prints the configuration: with comments that say where it belongs for a person, alone for a program. */
function print(
  { title, format, wanted, notes }: Client,
  path: string | undefined,
  target: Target,
  io: Terminal,
): void {
  const text = freshText(format, wanted(target));
  if (!io.isTerminal) {
    io.out(text);
    return;
  }
  const where =
    path === undefined
      ? `Set these environment variables for ${title}:`
      : `${title} reads this from ${path}. Add it there, or run this command with --write.`;
  const comments = [where, ...notes(target)].map((line) => `${FORMATS[format].comment} ${printable(line)}\n`);
  io.out(`${comments.join("")}${printableLines(text)}`);
}
