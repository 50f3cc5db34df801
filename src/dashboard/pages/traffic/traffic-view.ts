import type { TrafficGroup } from "../../api/types.ts";
import { type PeriodName, periodOf, startOf } from "../../state/period.ts";
import { hrefWith, type Params } from "../../state/query.ts";
import { text } from "../../texts/texts.ts";

/** The properties by which traffic is compared, with their labels. */
export const GROUPS: Record<TrafficGroup, { label: string; one: string }> = {
  agent: { label: text("traffic.group.agent"), one: text("traffic.agent") },
  model: { label: text("traffic.group.model"), one: text("traffic.model") },
  user: { label: text("traffic.group.user"), one: text("traffic.user") },
  surface: { label: text("traffic.group.surface"), one: text("traffic.surface") },
};
export const GROUP_NAMES = Object.keys(GROUPS) as TrafficGroup[];

export type TrafficFilters = Partial<Record<TrafficGroup, string | undefined>>;

/** The parameters of the address of the page. */
export interface TrafficView {
  period: PeriodName;
  by: TrafficGroup;
  /** The agent, model, user and endpoint that are shown; everything if empty. */
  only: TrafficFilters;
}

export function readTrafficView(query: URLSearchParams): TrafficView {
  const period = periodOf(query.get("period")) ?? "1h";
  const by = GROUP_NAMES.find((group) => group === query.get("by")) ?? "agent";
  const only = Object.fromEntries(GROUP_NAMES.map((group) => [group, query.get(group) || undefined]));
  return { period, by, only };
}

/** Returns the address of the page with this view. */
export function trafficHref({ period, by, only }: TrafficView): string {
  return hrefWith("traffic", { period, by, ...only });
}

/** Returns the query of the numbers that the view shows. */
export function trafficQuery({ period, by, only }: TrafficView, now: number): Params {
  return { from: startOf(period, now), by, ...only };
}

/** Returns the parameters of the list of the requests that the view counts. */
export function requestParams({ period, only }: Pick<TrafficView, "period" | "only">): Params {
  return { period, ...only };
}
