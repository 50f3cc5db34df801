import type { ProblemAnswer } from "../../api/types.ts";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";

export interface ProblemLink {
  href: string;
  label: string;
}

/** More would be a list of its own. */
const NAMED_MAX = 3;

/** The pages on which something can be done about a problem, or more be seen of it. */
const PAGES: Partial<Record<ProblemAnswer["code"], () => ProblemLink>> = {
  ...{ agent_failing: agents, agent_missing: agents, no_agent: agents, requests_waiting: agents },
  // Aliases are edited there.
  ...{ model_missing: models, users_limited: users },
  ...{ certificate: settings, webhook_failing: settings, queue_filling: settings },
};

function agents(): ProblemLink {
  return { href: hrefOf("agents"), label: text("overview.problems.agents") };
}

function models(): ProblemLink {
  return { href: hrefOf("models"), label: text("overview.problems.models") };
}

function users(): ProblemLink {
  return { href: hrefOf("users"), label: text("overview.problems.users") };
}

function settings(): ProblemLink {
  return { href: hrefOf("settings"), label: text("overview.problems.settings") };
}

/** Returns the links for a problem: to what it names, and to a page. */
export function problemLinks({ code, details }: ProblemAnswer): ProblemLink[] {
  const { agents = [], models: named = [], users: refused = [] } = details;
  const page = PAGES[code]?.();
  // Requests for a model that nobody offers are refused, and not kept.
  const kept = code === "model_missing" ? [] : named;
  return [
    ...agents.slice(0, NAMED_MAX).map(({ id, name }) => ({
      href: hrefOf("requests", "", { agent: id, period: "1h" }),
      label: text("overview.problems.agentRequests", { name }),
    })),
    ...kept.slice(0, NAMED_MAX).map((model) => ({
      href: hrefOf("requests", "", { model, period: "1h" }),
      label: text("overview.problems.modelRequests", { name: model }),
    })),
    ...refused.slice(0, NAMED_MAX).map(({ user_id, name }) => ({
      href: hrefOf("users", user_id),
      label: text("overview.problems.user", { name: name ?? user_id }),
    })),
    ...(page ? [page] : []),
    // The advice is a fallback, which is edited there.
    ...(details.cause === "full" ? [models()] : []),
  ];
}
