import { AppError } from "../../../errors.ts";
import type { Relay } from "../../../relay/relay.ts";
import type { AskedModels } from "../../live/idle-reason.ts";
import type { FallbackNames } from "../../models/names/fallbacks.ts";
import type { NodeLists } from "../../node-lists.ts";
import { ok, resource, route } from "../../route.ts";
import { type Period, periodOf, readGroups, type StepsDeps } from "../../traffic/period.ts";
import { talliesByName } from "../../traffic/totals.ts";
import { SAMPLE } from "../../values.ts";
import { agentRows, mergeAgents } from "../agent-rows.ts";
import { describeModels, type ModelFacts } from "./describe.ts";
import { type AdminModel, AdminModelAnswer, AdminModelList, ModelsQuery } from "./schema.ts";

interface ModelDeps extends StepsDeps {
  relay: FallbackNames["relay"] & Pick<Relay, "agents" | "models" | "waitingAsks">;
  settings: FallbackNames["settings"];
  askedModels: Pick<AskedModels, "lastAt">;
  /** The lists of the other nodes of a cluster; undefined for a single server. */
  nodes?: Pick<NodeLists, "name" | "agents" | "waiting"> | undefined;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The version of this server. */
  version: string;
}

const AGENT = { id: SAMPLE.agentId, name: "gpu box" };
const EXAMPLE: AdminModel = {
  ...{ id: SAMPLE.model, offered_since: SAMPLE.time, owned_by: "ollama", context_length: 131_072 },
  ...{ input_modalities: ["text"], capabilities: ["completion", "tools"] },
  ...{ aliases: ["fast"], replaced_by: null, fallbacks: ["qwen3"] },
  agents: { total: 1, ready: 0, full: 0, slow: 0, failing: 1, paused: 0, draining: 0, loaded: 1 },
  agent_list: [
    { ...AGENT, state: "failing", loaded: true, reason: "the upstream responded with status 503" },
  ],
  last_error: { agent: AGENT, reason: "the upstream responded with status 503", at: SAMPLE.laterTime },
  requests: {
    ...{ asks: 214, failed: 3, share: 0.62, refused: 0, first_byte_ms_p50: 197, first_byte_ms_p95: 789 },
    tokens_per_second: 41.5,
  },
  queue: { waiting: 1, oldest_wait_ms: 2140 },
};
const PERIOD = { from: "2026-11-23T08:00:00.000Z", to: "2026-11-23T09:02:00.000Z" };

const ROUTES = {
  listModelStates: route("GET /admin/models", {
    access: "admin",
    summary: "List the models with their agents, requests and queues",
    description:
      "The models that agents offer, and those that were asked for in the period and that no agent offers. In a cluster those of all nodes; `missing_nodes` names the nodes that did not send everything within a second. Requests are counted by the minute for a day, and by the hour for 31 days, of up to 100 models a step.",
    query: ModelsQuery,
    answers: ok("The models.", AdminModelList, { ...PERIOD, models: [EXAMPLE] }),
  }),
  readModelState: route("GET /admin/models/:id{.+}", {
    access: "admin",
    summary: "Read the state of one model, with all of its agents",
    params: { id: "The model's name, which may contain slashes." },
    query: ModelsQuery,
    answers: ok("The model.", AdminModelAnswer, { ...PERIOD, model: EXAMPLE }),
    errors: ["model_not_found"],
  }),
};

/** The models as administrators see them. */
export const modelStateRoutes = resource("Agents", ROUTES).handledBy((deps: ModelDeps) => {
  const read = async (from: string | undefined, only?: string) => {
    const period = periodOf({ from }, deps.now());
    const { facts, missing } = await readFacts(deps, period);
    return {
      ...{ from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString() },
      ...(deps.nodes && { missing_nodes: missing }),
      models: describeModels(facts, only),
    };
  };
  return {
    listModelStates: ({ query }) => read(query.from),
    async readModelState({ query, params: { id } }) {
      const { models, ...answer } = await read(query.from, id);
      const [model] = models;
      if (!model) throw new AppError("model_not_found", { param: "model" });
      return { ...answer, model };
    },
  };
});

/** Reads what is known of the models at all nodes, and the names of the nodes that did not send everything. */
async function readFacts(deps: ModelDeps, period: Period): Promise<{ facts: ModelFacts; missing: string[] }> {
  const { relay, nodes, settings } = deps;
  deps.meter.write(period.stepMs);
  const own = [...agentRows(deps)];
  const [ended, refused, list, elsewhere] = await Promise.all([
    readGroups(deps, "model", period).then(talliesByName),
    readGroups(deps, "missing_model", period).then(talliesByName),
    nodes ? mergeAgents(own, nodes) : { agents: own, missing_nodes: [] },
    nodes?.waiting() ?? { nodes: [], missing: [] },
  ]);
  const waiting = [
    ...relay.waitingAsks().map(({ model = null, waitedMs }) => ({ model, waited_ms: Math.max(0, waitedMs) })),
    ...elsewhere.nodes.flatMap(({ rows }) => rows),
  ];
  return {
    facts: {
      names: { relay, settings },
      ...{ offered: relay.models(), agents: list.agents, waiting, ended, refused },
    },
    missing: [...new Set([...list.missing_nodes, ...elsewhere.missing])],
  };
}
