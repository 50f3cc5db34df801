import { hostname } from "node:os";
import { z } from "zod";
import { readCode } from "../../auth/pairing/code.ts";
import { hashSecret } from "../../auth/secret.ts";
import { requestText } from "../../builtin-agent/http.ts";
import { failedRequest, refusalOf } from "../../builtin-agent/server/refusal.ts";
import { readServerAddress, type ServerAddress } from "../../builtin-agent/server/server-address.ts";
import { CommandError, usageError } from "../../errors.ts";
import { field, parseJson, textField } from "../../json/parse.ts";
import { isLoopbackHost } from "../../net/addresses.ts";
import { type Environment, proxyOption } from "../../net/environment-proxy.ts";
import { type KeptKey, type KeptKeys, keptKeys } from "./kept-keys.ts";

const EXCHANGE_MS = 15_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/** A key as any version of the server sends it. */
const Paired = z.object({ key: z.string().min(1).max(256), name: z.string().max(256) });

/** The server that an agent is to connect to, and the code on the command line. */
export interface PairTarget {
  server: ServerAddress;
  code: string | undefined;
}

/**
 * Reads the server's address, which may be the link of a pairing code (`https://host/pair#7F4K-Q2PX`), and the code of
 * `--pair`. The environment names the proxy. Throws a `CommandError` with exit code 2.
 */
export function readPairTarget(address: string, flag: string | undefined, env: Environment): PairTarget {
  const [, base, fragment] = /^(.*)\/pair\/?#(.*)$/s.exec(address.trim()) ?? [];
  const server = readServerAddress(base ?? address, env);
  if (fragment !== undefined && flag !== undefined)
    throw usageError("The address is a link with a code, and --pair has one too. Give one of them.");
  const text = fragment ?? flag;
  const code = text === undefined ? undefined : readCode(text);
  if (text !== undefined && code === undefined)
    throw usageError("The pairing code is not valid. It has 8 letters and digits, such as 7F4K-Q2PX.");
  return { server, code };
}

export interface ExchangeOptions extends PairTarget {
  /** A key that is given otherwise. */
  given: string | undefined;
  /** The folder of kept keys. */
  data: string;
  /** The agent's name, if it is given. */
  name: string | undefined;
  /** Writes a line for people. */
  print: (line: string) => void;
}

export interface FoundKey {
  key: string | undefined;
  /** The file that keeps it, if it is from there. */
  file?: string;
}

/**
 * Returns the key to register with: the given one, the one that the code is exchanged for, or the one that is kept for
 * this server. A code whose key is kept is not sent again. Throws a `CommandError`.
 */
export async function findAgentKey(options: ExchangeOptions): Promise<FoundKey> {
  const { server, code, given, print } = options;
  const explicit = server.key ?? given;
  if (code === undefined && explicit !== undefined) return { key: explicit };
  if (explicit !== undefined)
    throw usageError("A pairing code is exchanged for a key, and there is a key already. Give one of them.");
  const keys = keptKeys(options.data, server.label);
  const kept = keys.read();
  if (code === undefined || kept?.code === hashSecret(code)) return found(keys, kept);
  const { name, key } = await exchange(options, code, keys);
  print(`paired with ${server.label} as ${name}; the key is kept in ${keys.file}`);
  return { key, file: keys.file };
}

const found = ({ file }: KeptKeys, kept: KeptKey | undefined): FoundKey =>
  kept ? { key: kept.key, file } : { key: undefined };

async function exchange({ server, name, print }: ExchangeOptions, code: string, keys: KeptKeys) {
  // A code that is used up before its key can be kept would be lost.
  keys.prepare();
  const url = server.url.replace(/^ws/, "http").replace(/client\/register$/, "agents/pair");
  const { protocol, hostname: host } = new URL(url);
  if (protocol === "http:" && !isLoopbackHost(host))
    print(
      `the connection to ${server.label} is not encrypted, so others on the way can read the key. Use https://, unless you trust the network`,
    );
  const suggested = (name ?? hostname()).slice(0, 64).toWellFormed().trim();
  const answer = await post(url, server, { code, ...(suggested && { name: suggested }) });
  const { success, data } = Paired.safeParse(answer);
  if (!success) throw new CommandError(`${server.label}: the answer to the pairing code cannot be read.`);
  keys.write({ ...data, code: hashSecret(code) });
  return data;
}

/** Resolves with the JSON of the answer. Throws a `CommandError` that says why there is no key. */
async function post(url: string, { label, proxy }: ServerAddress, body: object): Promise<unknown> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...proxyOption(proxy),
  };
  const { response, text } = await requestText(url, {
    init,
    limitMs: EXCHANGE_MS,
    bytesMax: ANSWER_BYTES_MAX,
  }).catch((cause) => {
    throw new CommandError(`${label}: ${failedRequest(cause, url, proxy).reason}`, { cause });
  });
  const { status } = response;
  const json = parseJson(text ?? "");
  if (status === 200) return json;
  if (proxy && json === undefined)
    throw new CommandError(`${label}: ${refusalOf({ response, text, url, proxy }).reason}`);
  const reason = textField(json, "error") ?? textField(field(json, "error"), "message");
  const hint =
    textField(json, "hint") ?? (reason === undefined || status === 404 ? NO_SERVER_HINT : undefined);
  const words = [`the pairing code was refused (${status})`, reason].filter(Boolean).join(": ");
  throw new CommandError(`${label}: ${words}${hint ? `. ${hint}` : ""}`);
}

const NO_SERVER_HINT = "Is that a chatgpt-api-server of this version? Check the address.";
