import { api, requestsPath } from "../../api/api.ts";
import type { KeptRequest } from "../../api/types.ts";

/** A request; that of a user who sees their own has no user, and no agents. */
export type ShownRequest = Omit<KeptRequest, "user" | "agent" | "on_cached_agent" | "failed_tries"> &
  Partial<Pick<KeptRequest, "user" | "agent" | "on_cached_agent">> & {
    failed_tries: readonly (Omit<KeptRequest["failed_tries"][number], "agent"> &
      Partial<Pick<KeptRequest["failed_tries"][number], "agent">>)[];
  };

export interface ShownPage {
  requests: readonly ShownRequest[];
  /** Null without prices. */
  currency: string | null;
  next: string | null;
}

type Query = Readonly<Record<string, string | undefined>>;

export interface RequestSource {
  isAdmin: boolean;
  load(query: Query, signal: AbortSignal): Promise<ShownPage>;
  csvPath(query: Query): string;
}

/** A page may be empty though there are older requests, as the server looks through some at a time. */
const LOOKS_MAX = 20;

function sourceOf(isAdmin: boolean): RequestSource {
  const scope = isAdmin ? "admin" : "api";
  return {
    isAdmin,
    async load(query, signal) {
      let page: ShownPage = { requests: [], currency: null, next: query["before"] ?? null };
      for (let looks = 0; looks < LOOKS_MAX; looks++) {
        page = await api.requests(scope, { ...query, before: page.next ?? undefined }, signal);
        if (page.requests.length > 0 || page.next === null) break;
      }
      return page;
    },
    csvPath: ({ before: _, ...query }) => requestsPath(scope, { ...query, limit: "100000", format: "csv" }),
  };
}

export const ALL_REQUESTS = sourceOf(true);
export const OWN_REQUESTS = sourceOf(false);
