import { field, parseBoundedJson } from "../../json/parse.ts";
import type { Model } from "../../protocol/agent-v2.ts";
import { bearer, requestText } from "../http.ts";
import { readModelList } from "../http-upstream.ts";
import {
  type Answer,
  type Answers,
  isOwnServer,
  KINDS,
  type Kind,
  LIST_PATH,
  PROBED_PATHS,
} from "./kinds.ts";

/** A model server that answers at an address. */
export interface Identity {
  kind: Kind;
  models: readonly Model[];
  /** The same for two addresses of one process, as far as its answers show. */
  fingerprint: string;
}

export interface IdentifyOptions {
  /** Sent to a model server that was recognized, if it does not list its models without a key. */
  key?: string | undefined;
  limitMs?: number;
  signal?: AbortSignal;
}

const LIMIT_MS = 1500;
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** The statuses of a list of models that needs a key, or has to wait for a model that is being loaded. */
const WITHHELD = new Set([401, 403, 503]);

/**
 * Returns which model server answers at an origin, such as `http://127.0.0.1:8080`; undefined for any other program, a
 * server of ours, and none. Sends requests that read only. A program that has no list of models gets one of them.
 */
export async function identify(origin: string, options: IdentifyOptions = {}): Promise<Identity | undefined> {
  const get = (path: string) => request(origin + path, options);
  const list = await get(LIST_PATH);
  if (list === undefined || !isList(list)) return undefined;
  const probed = await Promise.all(PROBED_PATHS.map(async (path) => [path, await get(path)] as const));
  const byPath = new Map([[LIST_PATH, list], ...probed]);
  const models = readModelList(list.json);
  const answers: Answers = { at: (path) => byPath.get(path), models: models ?? [] };
  const kind = isOwnServer(answers) ? undefined : KINDS.find(({ recognizes }) => recognizes(answers));
  if (kind === undefined) return undefined;
  const withKey =
    models || options.key === undefined ? undefined : await request(origin + LIST_PATH, options, true);
  const known = models ?? readModelList(withKey?.json) ?? [];
  return { kind, models: known, fingerprint: fingerprintOf(kind, answers, known) };
}

function isList({ status, headers, json }: Answer): boolean {
  return WITHHELD.has(status) || headers.get("server") === "llama.cpp" || readModelList(json) !== undefined;
}

/** The facts about a process that do not change from one request to the next. */
const FACTS = ["version", "commit", "build_info", "model_path", "total_slots"];

function fingerprintOf({ slug, paths }: Kind, { at }: Answers, models: readonly Model[]): string {
  const facts = paths.map((path) => FACTS.map((name) => field(at(path)?.json, name)));
  return JSON.stringify([slug, facts, models.map(({ id }) => id).sort()]);
}

async function request(
  url: string,
  { key, limitMs = LIMIT_MS, signal }: IdentifyOptions,
  withKey = false,
): Promise<Answer | undefined> {
  const init = { headers: withKey ? bearer(key) : {} };
  try {
    const options = { init, limitMs, bytesMax: BODY_BYTES_MAX, ...(signal && { signal }) };
    const { response, text = "" } = await requestText(url, options);
    const { status, headers } = response;
    return { status, headers, json: parseBoundedJson(text), isEmpty: text.trim() === "" };
  } catch {
    return undefined;
  }
}
