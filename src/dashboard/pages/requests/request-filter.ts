import { type PeriodName, periodOf, startOf } from "../../state/period.ts";
import { hrefWith, type Params } from "../../state/query.ts";
import { text } from "../../texts/texts.ts";

/** The fields of the address that choose requests, and their labels. */
export const FILTERS = {
  outcome: text("requests.result"),
  model: text("requests.model"),
  user: text("requests.user"),
  agent: text("requests.agent"),
  surface: text("requests.endpoint"),
  id: text("requests.requestId"),
} as const;
export type FilterName = keyof typeof FILTERS;

/** The parameters of the address of the page. */
export interface RequestView extends Partial<Record<FilterName, string | undefined>> {
  /** A period that ends now; all time if there is none, and no `from` either. */
  period?: PeriodName | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** The place at which the page of the list begins; the newest requests if undefined. */
  before?: string | undefined;
  /** The id of the request whose details are open, and when it arrived. */
  open?: string | undefined;
  at?: string | undefined;
}

const NAMES = [...(Object.keys(FILTERS) as FilterName[]), "from", "to", "before", "open", "at"];

export function readView(query: URLSearchParams): RequestView {
  const texts = Object.fromEntries(NAMES.map((name) => [name, query.get(name) || undefined]));
  return { ...texts, period: periodOf(query.get("period")) };
}

/** Returns the address of the page with this view. */
export function requestsHref(view: RequestView): string {
  return hrefWith("requests", view as Params);
}

/** Returns the query of the list that the view shows. */
export function listQuery(view: RequestView, now: number): Record<string, string | undefined> {
  const { period, open: _, at: __, ...query } = view;
  return { ...query, from: startOf(period, now) ?? query.from };
}
