import { isSameServer } from "../../builtin-agent/server/server-address.ts";
import { PROCESS_SLOTS } from "../../builtin-agent/slot-budget.ts";
import type { GivenSettings } from "../../config/read.ts";
import type { Config, SettingName } from "../../config/settings.ts";
import type { Slots } from "../../config/upstream-kinds.ts";
import { usageError } from "../../errors.ts";
import { ENDPOINTS, type Endpoint } from "../../protocol/agent-v2.ts";
import { counted } from "../terminal.ts";
import type { FileUpstream } from "./config-file.ts";

export type UpstreamSettings = Pick<
  Config,
  | "upstreams"
  | "upstreamKeys"
  | "models"
  | "endpoints"
  | "slots"
  | "priority"
  | "weight"
  | "tags"
  | "name"
  | "echo"
>;

/** One upstream as the operator wants it. */
export interface UpstreamChoice {
  url: string;
  key: string | undefined;
  /** Distinguishes its agent from the others of this process; undefined if there are no others. */
  label: string | undefined;
  slots: Slots;
  models: readonly string[];
  /** Whether the models are those of all upstreams, of which each offers what it lists. */
  onlyListed: boolean;
  endpoints: readonly Endpoint[];
  priority: number;
  weight: number;
  tags: readonly string[] | undefined;
}

interface Sources {
  settings: UpstreamSettings;
  /** Says which settings a flag or a variable has given. Those come before the tables of a file. */
  given: GivenSettings;
  /** The upstreams of the configuration file. */
  tables?: readonly FileUpstream[];
}

/**
 * Returns the upstreams that the settings name, none for discovery and for the echo. Throws a `CommandError` with exit
 * code 2 if the settings do not fit together.
 */
export function chooseUpstreams({ settings, given, tables = [] }: Sources): UpstreamChoice[] {
  const isGiven = (name: SettingName) => {
    const found = given.texts.get(name);
    return found !== undefined && found.from !== "default" && !found.isInFile;
  };
  const named: readonly FileUpstream[] =
    settings.upstreams && (isGiven("upstreams") || tables.length === 0)
      ? settings.upstreams.map((url) => ({ url }))
      : tables;
  if (settings.upstreams && given.texts.get("upstreams")?.isInFile && tables.length > 0)
    throw usageError("The configuration file has both upstream and upstreams. Leave one out.");
  checkDistinct(named);
  // A key in the file belongs to an upstream there, and not to another that a flag names.
  const isForeign = isGiven("upstreams") && given.texts.get("upstreamKeys")?.isInFile;
  const keys = isForeign ? undefined : settings.upstreamKeys;
  checkCounts({ keys, slots: settings.slots, echo: settings.echo }, named.length);
  const endpoints = endpointsOf(settings);
  const labels = labelsOf(named);
  const choices = named.map((table, index): UpstreamChoice => {
    const pick = <Value>(name: SettingName, own: Value | undefined, common: Value): Value =>
      own === undefined || isGiven(name) ? common : own;
    const models = pick("models", table.model, settings.models) ?? [];
    return {
      url: table.url,
      label: named.length > 1 || table.name !== undefined ? labels[index] : undefined,
      key: pick("upstreamKeys", table.key, at(keys, index)),
      slots: pick("slots", table.slots, at(settings.slots, index) ?? "auto"),
      models,
      onlyListed: named.length > 1 && models === settings.models,
      endpoints: pick("endpoints", table.endpoint, endpoints),
      priority: pick("priority", table.priority, settings.priority),
      weight: pick("weight", table.weight, settings.weight),
      tags: pick("tags", table.tag, settings.tags),
    };
  });
  checkSlots(choices);
  return choices;
}

/** Returns the value for one upstream: a single value is that of all. */
function at<Value>(values: readonly Value[] | undefined, index: number): Value | undefined {
  return values?.length === 1 ? values[0] : values?.[index];
}

/** Returns the endpoints that the settings name, none to find them out. Throws a `CommandError` for an unknown one. */
export function endpointsOf({ endpoints = [] }: Pick<UpstreamSettings, "endpoints">): readonly Endpoint[] {
  const isEndpoint = (name: string): name is Endpoint => ENDPOINTS.some((known) => known === name);
  if (!endpoints.every(isEndpoint))
    throw usageError(`--endpoint is not valid. Give one of: ${ENDPOINTS.join(", ")}.`);
  return endpoints;
}

/** Throws a `CommandError` if two of the URLs name one server: `localhost` is `127.0.0.1`, and `/v1` may be missing. */
function checkDistinct(named: readonly FileUpstream[]): void {
  const pathOf = (url: string) => new URL(url).pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  for (const [index, { url }] of named.entries()) {
    const isKnown = named
      .slice(0, index)
      .some((other) => isSameServer(other.url, url) && pathOf(other.url) === pathOf(url));
    if (isKnown) throw usageError(`The upstream ${url} is given twice. Give each upstream once.`);
  }
}

interface Counted {
  keys: readonly unknown[] | undefined;
  slots: readonly Slots[];
  echo: boolean;
}

function checkCounts({ keys, slots, echo }: Counted, count: number): void {
  if (echo && count > 0) throw usageError("--echo and --upstream exclude each other. Give one of them.");
  // A key of one upstream must not be sent to another.
  if (keys && keys.length !== Math.max(1, count))
    throw usageError(
      `--upstream-key has ${counted(keys.length, "key")}, and there ${isAre(count)}. Give one for each, in their order, and none for an upstream without a key.`,
    );
  if (slots.length > 1 && slots.length !== count)
    throw usageError(
      `--slots has ${counted(slots.length, "number")}, and there ${isAre(count)}. Give one for all, or one for each in their order.`,
    );
}

const isAre = (count: number) => `${count === 1 ? "is" : "are"} ${counted(count, "upstream")}`;

function checkSlots(choices: readonly UpstreamChoice[]): void {
  const sum = choices.reduce((total, { slots }) => total + (slots === "auto" ? 1 : slots), 0);
  if (choices.length > 1 && sum > PROCESS_SLOTS)
    throw usageError(
      `The slots of all upstreams together are more than ${PROCESS_SLOTS}, the most that one process can serve. Give less, or start a second agent.`,
    );
}

/** Returns a name for each upstream, which no other has: its own, or the host and port of its URL. */
function labelsOf(named: readonly FileUpstream[]): string[] {
  const labels = named.map(({ name, url }) => name ?? new URL(url).host);
  return labels.map((label, index) => {
    const isFirst = labels.indexOf(label) === index;
    return isFirst ? label : `${label}#${labels.slice(0, index + 1).filter((each) => each === label).length}`;
  });
}

/** Throws a `CommandError` if the server is to be its own upstream. */
export function refuseServer(choices: readonly Pick<UpstreamChoice, "url">[], server: string): void {
  if (choices.some(({ url }) => isSameServer(url, server)))
    throw usageError("--upstream names the server itself. Give the address of the model server.");
}
