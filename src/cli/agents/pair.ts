import { networkInterfaces } from "node:os";
import { type AgentKeys, agentKeyFields } from "../../auth/agent-keys.ts";
import type { Audit } from "../../auth/audit.ts";
import { createPairings, describePairing, pairingFields } from "../../auth/pairing/pairings.ts";
import { readServerAddress } from "../../builtin-agent/server/server-address.ts";
import type { PublicUrlSettings } from "../../config/public-url.ts";
import type { Config } from "../../config/settings.ts";
import { usageError } from "../../errors.ts";
import { listenAddresses } from "../../net/listen-addresses.ts";
import { shellQuote } from "../../shell-quote.ts";
import type { AgentKeyChanges, PairingStore } from "../../store/store.ts";
import { withoutNulls } from "../../user-attributes.ts";
import { serverUrls } from "../server-addresses.ts";
import { table } from "../terminal/text-table.ts";
import { type Terminal, toJson } from "../terminal.ts";
import { PROGRAM } from "../version.ts";

/** The dependencies of `agents pair` that other subcommands do not have. */
export interface PairGiven {
  pairings: PairingStore;
  settings: Pick<Config, "host" | "tlsCert"> & PublicUrlSettings;
  /** The address at which agents reach the server, if it is given. */
  server: string | undefined;
}

interface PairWork {
  keys: AgentKeys;
  audit: Audit;
  /** The name for the key; null if the agent may choose one. */
  name: string | null;
  models: readonly string[] | null;
  changes: AgentKeyChanges;
  json: boolean;
  io: Terminal;
  pair: PairGiven;
}

/** Makes a pairing code, and prints the command that uses it and, on a terminal, its link as a QR code. */
export async function pairAgent({ keys, audit, name, models, changes, json, io, pair }: PairWork) {
  const addresses = pairAddresses(pair);
  const id = crypto.randomUUID();
  const added = withoutNulls(changes);
  const given = pairingFields({ models, ...added });
  const pairings = createPairings({ store: pair.pairings, agentKeys: keys });
  const detail = { name, models, ...agentKeyFields(added) };
  const note = { actor: "cli", action: "pairing.add", target: id, detail } as const;
  const { code, expiresAt } = await audit.change(note, () => pairings.make({ id, name, given }));
  const links = addresses.map(({ url }) => `${url}/pair#${code}`);
  if (json) {
    io.out(toJson({ ...describePairing({ id, name, given, expiresAt }), code, links }));
    return;
  }
  const lines = addresses.map(({ where, url }) => [
    where,
    `${PROGRAM} agent ${shellQuote(url)} --pair ${code}`,
  ]);
  io.out(table([["code", code], ...lines, ...links.slice(-1).map((link) => ["link", link])]));
  const link = links.at(-1);
  if (io.isTerminal && link) {
    const { renderUnicodeCompact } = await import("uqr");
    io.out(`\n${renderUnicodeCompact(link)}\n`);
  }
  io.err("The code works once, within ten minutes. It is not shown again.\n");
}

/** Returns the URLs of the server, the one that works from the most places last. */
function pairAddresses({ server, settings }: PairGiven): { where: string; url: string }[] {
  if (server !== undefined) {
    const { label, key } = readServerAddress(server);
    if (key !== undefined) throw usageError("--server has an agent key. Give the address without it.");
    return [{ where: "on its machine", url: label.replace(/^ws/, "http") }];
  }
  const { port, host } = settings;
  if (port === 0) throw usageError("Port 0 stands for any free port. Give the server's port with --port.");
  const addresses = listenAddresses(host, networkInterfaces());
  const { own, elsewhere } = serverUrls({ config: settings, port, addresses });
  return [
    ...(own === undefined ? [] : [{ where: "on this machine", url: own }]),
    ...(elsewhere === undefined ? [] : [{ where: "from elsewhere", url: elsewhere }]),
  ];
}
