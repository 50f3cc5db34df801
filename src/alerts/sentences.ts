import type { Problem, ProblemCode, ProblemDetails } from "../protocol/node/problems.ts";
import { waitingSentence } from "./waiting-sentence.ts";
import { countOf, list, nameOf, type Sentences, spanOf } from "./words.ts";

type Words = (details: ProblemDetails, now: number) => Sentences;

/** Returns the words for a problem. `now` is in milliseconds since 1970. */
export function describeProblem(
  { code, details }: Pick<Problem, "code" | "details">,
  now: number,
): Sentences {
  return WORDS[code](details, now);
}

const WORDS: Record<ProblemCode, Words> = {
  agent_failing: (details) => ({
    message: failingSentence(details),
    hint: "Look at the model server beside the agent. The agent gets requests again by itself once it answers them.",
  }),
  requests_waiting: waitingSentence,
  no_agent: ({ count = 0 }) => ({
    message:
      count === 0
        ? "No agent is connected, so no request can be served."
        : `${countOf(count, "agent")} ${count === 1 ? "is" : "are"} connected, but none takes requests.`,
    hint:
      count === 0
        ? "Start an agent, or look why those that were here have left."
        : "Look why they take none: agents that are paused, or offer no model, get no requests.",
  }),
  model_missing: ({ models = [], requests = 0, count = 1 }) => ({
    message:
      count > 1
        ? `No agent offers ${count} models that were asked for ${times(requests)} lately, such as ${list(models)}.`
        : `No agent offers ${models[0] ?? "a model"}, which was asked for ${times(requests)} lately.`,
    hint: "Start an agent with it, or give another model this name with an alias.",
  }),
  agent_missing: ({ agents = [], count = 1 }) => ({
    message:
      count > 1
        ? `${countOf(count, "agent")} that were here regularly have left and did not come back, such as ${list(agents.map(nameOf))}.`
        : `${list(agents.map(nameOf))} was here regularly, has left, and did not come back.`,
    hint: "Look whether the machine is on and its agent runs. After three days the server takes it for removed.",
  }),
  queue_filling: ({ requests = 0, limit = 0, nodes }) => ({
    message: `${requests} of at most ${limit} requests wait for agents${at(nodes)}${requests >= limit ? ", so further ones are refused" : ""}.`,
    hint: "Add agents or slots, or raise --queue-max.",
  }),
  users_limited: ({ users = [], requests = 0, count = 1, refusals = [] }) => ({
    message:
      count > 1
        ? `${count} users were refused ${times(requests)} by their limits within 5 min, such as ${list(users.map(userName))}.`
        : `${list(users.map(userName))} was refused ${times(requests)} within 5 min by a limit: ${list(refusals.map(limitName))}.`,
    hint: "Raise the limit if it is too low. A program that tries again at once may need a pause.",
  }),
  database_away: ({ serves, nodes }) => ({
    message: serves
      ? `The database does not answer${at(nodes)}. Only users who were here lately are served, and only for a while.`
      : `The database cannot be written${at(nodes)}, so requests are refused.`,
    hint: "Look whether the database runs, whether its disk is full, and what the log says.",
  }),
  nats_away: ({ nodes }) => ({
    message: `NATS is away${at(nodes)}, so requests reach only the agents of the same node.`,
    hint: "Look whether NATS runs and can be reached. The nodes connect again by themselves.",
  }),
  node_lost: ({ nodes = [] }) => ({
    message: `The node ${list(nodes)} is lost.`,
    hint: "Look whether its machine and its server run. Its agents go to the other nodes.",
  }),
  certificate: certificateSentence,
  disk_low: ({ free_bytes = 0, nodes }) => ({
    message: `The disk of the data folder has ${sizeOf(free_bytes)} left${at(nodes)}.`,
    hint: "Free some space. When the disk is full, nothing can be recorded, and requests are refused.",
  }),
  clock_differs: ({ ahead_ms = 0, nodes }) => ({
    message: `The clock of this machine${at(nodes)} is ${spanOf(Math.abs(ahead_ms))} ${ahead_ms > 0 ? "ahead of" : "behind"} the database's.`,
    hint: "Set both by NTP: until then codes, sessions and the limits of a day are off by as much.",
  }),
  admin_key_weak: () => ({
    message: "The admin key is short for a server that others can reach.",
    hint: "Start the server with a random one, such as the command openssl rand -hex 16 prints.",
  }),
  webhook_failing: ({ reason, nodes }) => ({
    message: `Messages cannot be delivered to the alert webhook${at(nodes)}${reason ? `: ${reason}` : ""}.`,
    hint: "Check its address, and send a test message.",
  }),
};

function failingSentence({
  agents = [],
  requests = 0,
  failed = 0,
  count = 1,
  reason,
}: ProblemDetails): string {
  const why = reason ? `: ${reason}` : "";
  if (count > 1)
    return `${countOf(count, "agent")} fail most of their requests, such as ${list(agents.map(nameOf))}${why}.`;
  return `${list(agents.map(nameOf))} has failed ${failed} of its last ${countOf(requests, "request")}${why}.`;
}

function certificateSentence(
  { expires_at = 0, renews, reason, nodes }: ProblemDetails,
  now: number,
): Sentences {
  const leftMs = expires_at - now;
  const expiry =
    leftMs > 0
      ? `The certificate${at(nodes)} expires in ${spanOf(leftMs)}`
      : `The certificate${at(nodes)} has expired, so clients refuse to connect`;
  if (!renews) return { message: `${expiry}.`, hint: "Replace its files, and send the server SIGHUP." };
  return {
    message: reason ? `${expiry}, and could not be renewed: ${reason}.` : `${expiry}, and was not renewed.`,
    hint: "The server tries again by itself. docs/https.md says what each reason means.",
  };
}

/** The nodes at which it is so, in a cluster. */
const at = (nodes: readonly string[] | undefined): string =>
  nodes && nodes.length > 0 ? ` (${nodes.length > 1 ? "nodes" : "node"} ${nodes.join(", ")})` : "";

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

const userName = ({ user_id, name }: { user_id: string; name: string | null }): string => name ?? user_id;

const LIMIT_NAMES: Record<string, string> = {
  limit_requests: "requests per minute",
  limit_tokens: "tokens per day",
  limit_parallel: "parallel requests",
  user_queue_full: "waiting requests",
  limit_budget_day: "cost per day",
  limit_budget_month: "cost per month",
  limit_budget_reserved: "cost, of which running requests have reserved the rest",
};
const limitName = (code: string): string => LIMIT_NAMES[code] ?? code;

const UNITS: readonly [string, number][] = [
  ["GB", 1024 ** 3],
  ["MB", 1024 ** 2],
];

function sizeOf(bytes: number): string {
  const [unit, size] = UNITS.find(([, size]) => bytes >= size) ?? ["KB", 1024];
  const value = bytes / size;
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${unit}`;
}

/** Returns the sentence for when a problem is over. */
export function describeEnd(problem: Pick<Problem, "code" | "details" | "since">, now: number): string {
  const { code, details } = problem;
  const lasted = `It lasted ${spanOf(Math.max(now - problem.since, 0))}.`;
  return `${ENDS[code](details)} ${lasted}`;
}

const ENDS: Record<ProblemCode, (details: ProblemDetails) => string> = {
  agent_failing: ({ agents = [], count = 1 }) =>
    count > 1
      ? `${countOf(count, "agent")} no longer fail, or have left.`
      : `${list(agents.map(nameOf))} no longer fails, or has left.`,
  requests_waiting: ({ models = [], count = 1 }) =>
    `Requests no longer wait long for ${models.length > 0 ? list(models) : "a model"}${count > 1 && models.length > 1 ? " and others" : ""}.`,
  no_agent: () => "An agent takes requests again.",
  model_missing: ({ models = [] }) => `${list(models)} is offered again, or was not asked for any more.`,
  agent_missing: ({ agents = [], count = 1 }) =>
    count > 1
      ? `${countOf(count, "agent")} have come back, or count as removed.`
      : `${list(agents.map(nameOf))} has come back, or counts as removed.`,
  queue_filling: ({ nodes }) => `The queue has room again${at(nodes)}.`,
  users_limited: ({ users = [], count = 1 }) =>
    `${count > 1 ? `${count} users are` : `${list(users.map(userName))} is`} no longer refused often.`,
  database_away: ({ nodes }) => `The database can be written again${at(nodes)}.`,
  nats_away: ({ nodes }) => `NATS is back${at(nodes)}.`,
  node_lost: ({ nodes = [] }) => `The node ${list(nodes)} is back, replaced, or counts as removed.`,
  certificate: ({ nodes }) => `The certificate is valid for long again${at(nodes)}.`,
  disk_low: ({ nodes }) => `The disk of the data folder has room again${at(nodes)}.`,
  clock_differs: ({ nodes }) => `The clocks agree again${at(nodes)}.`,
  admin_key_weak: () => "The admin key is long enough.",
  webhook_failing: () => "Messages can be delivered to the alert webhook again.",
};
