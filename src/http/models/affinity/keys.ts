import type { Entry } from "../../../json/edit.ts";
import { field } from "../../../json/parse.ts";
import type { Endpoint } from "../../../protocol/agent-v2.ts";
import type { AffinityKeys } from "../../../relay/routing/affinity.ts";
import { addSystem, addText, addValue, type Chain, keyOf } from "./chain.ts";
import { readSession } from "./session.ts";

/** The request of a caller, as text and as JSON. */
interface AffineRequest {
  text: string;
  json: unknown;
  /** The entries of the text. */
  entries: readonly Entry[];
  headers: Headers;
  /** The beginning of all chains. */
  chainStart: Chain;
}

/** How many ends of earlier requests are looked for. */
export const BOUNDARIES_MAX = 64;

/** The fields with the turns, and those that come before them. */
const FIELDS: Partial<Record<Endpoint, { turns: string; system?: string }>> = {
  "chat/completions": { turns: "messages" },
  messages: { turns: "messages", system: "system" },
  responses: { turns: "input", system: "instructions" },
  completions: { turns: "prompt" },
  "api/chat": { turns: "messages" },
  "api/generate": { turns: "prompt", system: "system" },
};

/** The endpoints whose requests have one text, and no turns. */
const WITH_PROMPT: ReadonlySet<Endpoint> = new Set(["completions", "api/generate"]);

/**
 * Returns the keys of what an agent may have cached of the request; undefined if there is nothing to be cached. They
 * are those of the first messages, within the session if the caller names one; then that of the session; and at last
 * that of the caller's own user. Never throws: an odd body has no keys.
 */
export function affinityKeys(
  endpoint: Endpoint,
  { text, json, entries, headers, chainStart }: AffineRequest,
): AffinityKeys | undefined {
  const fields = FIELDS[endpoint];
  if (!fields) return undefined;
  const { session, previous, endUser } = readSession(json, headers);
  const known: string[] = [];
  const kept: string[] = [];
  const start = session === undefined ? chainStart : addText(chainStart, session);
  // The messages of a request that continues a response are not the first ones.
  if (previous !== undefined && endpoint === "responses") known.push(responseKey(previous, chainStart));
  else {
    const boundaries = boundariesOf(endpoint, field(json, fields.turns), () => {
      const tools = entries.find(({ key }) => key === "tools");
      const chain = tools ? addText(start, text.slice(tools.valueFrom, tools.valueTo)) : start;
      return fields.system === undefined ? chain : addSystem(chain, field(json, fields.system));
    });
    const keys = boundaries.reverse().map(keyOf);
    // The same chat again is not the next turn of one: many callers with one question are to use all agents.
    known.push(...(WITH_PROMPT.has(endpoint) ? keys : keys.slice(1)));
    kept.push(...keys.slice(0, 1));
  }
  for (const key of [session && `session ${keyOf(start)}`, endUser && userKey(endUser, chainStart)]) {
    if (!key) continue;
    known.push(key);
    kept.push(key);
  }
  return known.length + kept.length > 0 ? { known, kept } : undefined;
}

/** Returns the key of a response that others may continue. */
export const responseKey = (id: string, chainStart: Chain): string =>
  `response ${keyOf(addText(chainStart, id))}`;

const userKey = (id: string, chainStart: Chain): string => `user ${keyOf(addText(chainStart, id))}`;

/** Returns the last chains at which a request can have ended, the whole one last; none without a turn of a user. */
function boundariesOf(endpoint: Endpoint, turns: unknown, start: () => Chain): Chain[] {
  if (WITH_PROMPT.has(endpoint)) return boundariesOfPrompt(turns, start);
  if (typeof turns === "string" && turns !== "") return [addText(addText(start(), "user"), turns)];
  return Array.isArray(turns) ? boundariesOfTurns(turns, start()) : [];
}

/** A request ends before the model's turn. Instructions at the beginning are not a turn. */
function boundariesOfTurns(turns: readonly unknown[], start: Chain): Chain[] {
  const boundaries: Chain[] = [];
  let chain = start;
  let hasTurn = false;
  let wasModel = false;
  for (const turn of turns) {
    const by = authorOf(turn);
    if (by === "model" && !wasModel && hasTurn) addBoundary(boundaries, chain);
    chain = addValue(chain, turn);
    hasTurn ||= by !== "system";
    wasModel = by === "model";
  }
  if (hasTurn) addBoundary(boundaries, chain);
  return boundaries;
}

function addBoundary(boundaries: Chain[], chain: Chain): void {
  if (boundaries.length === BOUNDARIES_MAX) boundaries.shift();
  boundaries.push(chain);
}

function authorOf(turn: unknown): "system" | "model" | "user" {
  const role = field(turn, "role");
  if (role === "system" || role === "developer") return "system";
  if (role === "assistant" || role === "model") return "model";
  if (role !== undefined) return "user";
  // The items of the Responses API that have no role are calls, their outputs, thoughts, and references to answers.
  const type = field(turn, "type");
  return typeof type !== "string" || type.endsWith("_output") ? "user" : "model";
}

/** A prompt has no turns: each block is one. The last, which is not full, may go on in the next prompt. */
const BLOCK_LENGTH = 1024;
const PROMPT_LENGTH_MAX = 1024 * BLOCK_LENGTH;

function boundariesOfPrompt(prompt: unknown, start: () => Chain): Chain[] {
  const text = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt;
  if (typeof text !== "string" || text.length < BLOCK_LENGTH) return [];
  const boundaries: Chain[] = [];
  const to = Math.min(text.length, PROMPT_LENGTH_MAX);
  let chain = start();
  for (let at = BLOCK_LENGTH; at <= to; at += BLOCK_LENGTH) {
    chain = addText(chain, text.slice(at - BLOCK_LENGTH, at));
    addBoundary(boundaries, chain);
  }
  return boundaries;
}
