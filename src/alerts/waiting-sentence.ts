import type { ProblemDetails } from "../protocol/node/problems.ts";
import { countOf, list, nameOf, type Sentences, spanOf } from "./words.ts";

/** Says that requests wait for a model, and why: "4 requests wait for llama3.3: its only agent, gpu-1, is paused." */
export function waitingSentence(details: ProblemDetails, now: number): Sentences {
  const { models = [], requests = 0, wait_ms = 0, cause } = details;
  const verb = requests === 1 ? "waits" : "wait";
  const oldest =
    requests === 1 ? `It has waited ${spanOf(wait_ms)}.` : `The oldest has waited ${spanOf(wait_ms)}.`;
  if (cause === undefined)
    return {
      message: `${countOf(requests, "request")} ${verb} for ${models.length > 1 ? `several models, such as ${list(models)}` : "agents"}. ${oldest}`,
      hint: HINTS.mixed,
    };
  const wanted = models[0] ?? "any model";
  return {
    message: `${countOf(requests, "request")} ${verb} for ${wanted}: ${reasonOf(details, now)}. ${oldest}`,
    hint: HINTS[cause],
  };
}

type Cause = NonNullable<ProblemDetails["cause"]>;

const HINTS: Record<Cause, string> = {
  failing: "Look at the model server beside the agent.",
  paused:
    "An agent is paused by its owner, or as it does not read what it is sent. Look at the list of agents.",
  full: "Add an agent with this model or more slots, or a fallback to another model.",
  mixed: "Look at the list of agents, which says why each gets no requests.",
  restricted: "The agents have room, but the requests may not go to them: look at the users' tags.",
  elsewhere: "Add an agent with this model or more slots, or look at the agents of the other nodes.",
  gone: "Look whether the agent's machine is on and its agent runs.",
};

function reasonOf(details: ProblemDetails, now: number): string {
  const { cause = "mixed", cause_since: since, reason } = details;
  const span = since === undefined ? undefined : spanOf(Math.max(now - since, 0));
  const { count = 0, slots = 0 } = details;
  return REASONS[cause]({ ...details, count, slots, span, why: reason ? `: ${reason}` : "" });
}

interface Reason extends ProblemDetails {
  count: number;
  slots: number;
  /** For how long it has been so, if that is known. */
  span: string | undefined;
  /** The error with a colon before it, or nothing. */
  why: string;
}

const only = ({ agents = [] }: Reason): string => `its only agent, ${list(agents.map(nameOf))},`;

const REASONS: Record<Cause, (reason: Reason) => string> = {
  failing(reason) {
    const { count, span, why } = reason;
    const lasting = span === undefined ? "" : ` for ${span}`;
    if (count === 1) return `${only(reason)} has been failing${lasting}${why}`;
    return `all of its ${count} agents fail${lasting && `, the first${lasting}`}${why}`;
  },
  paused: (reason) =>
    reason.count === 1 ? `${only(reason)} is paused` : `all of its ${reason.count} agents are paused`,
  full(reason) {
    const { count, slots } = reason;
    if (count !== 1) return `all ${slots} slots of its ${count} agents are in use`;
    return slots === 1
      ? `the only slot of ${only(reason)} is in use`
      : `all ${slots} slots of ${only(reason)} are in use`;
  },
  elsewhere: () => "its agents are at other nodes and take no more requests now",
  gone: ({ span, reason }) =>
    span === undefined
      ? "no agent offers it any more"
      : `its last agent${reason ? `, ${reason},` : ""} left ${span} ago`,
  restricted: (reason) =>
    reason.count === 1
      ? `${only(reason)} may not get them`
      : "those of its agents with free slots may not get them",
  mixed: ({ count, agents_failing: failing = 0, agents_paused: paused = 0, agents_full: full = 0, why }) =>
    `of its ${count} agents ${partsOf(failing, paused, full)}${why}`,
};

function partsOf(failing: number, paused: number, full: number): string {
  const part = (count: number, one: string, many: string) =>
    count === 0 ? [] : `${count} ${count === 1 ? one : many}`;
  return list([
    ...[part(failing, "fails", "fail"), part(paused, "is paused", "are paused")].flat(),
    ...[part(full, "has no free slot", "have no free slot")].flat(),
  ]);
}
