import { AUDIT_ACTIONS, AUDIT_ACTORS } from "../../../audit-actions.ts";
import { hrefWith } from "../../state/query.ts";
import { type TextKey, text } from "../../texts/texts.ts";

/** The filter of the list, as the parameters of the page's address. */
export interface AuditFilter {
  actor?: string | undefined;
  /** An action, or the part before its dot. */
  action?: string | undefined;
  search?: string | undefined;
}

/** Reads the address. What an address from elsewhere names that does not exist is left out. */
export function readAuditFilter(query: URLSearchParams): AuditFilter {
  const known = (name: string, values: readonly string[]) =>
    values.find((value) => value === query.get(name)) ?? undefined;
  return {
    actor: known("actor", AUDIT_ACTORS),
    action: known("action", [...AREAS, ...AUDIT_ACTIONS]),
    search: query.get("search")?.slice(0, SEARCH_MAX) || undefined,
  };
}

/** The server takes no longer text. */
const SEARCH_MAX = 200;

export const auditHref = ({ actor, action, search }: AuditFilter): string =>
  hrefWith("audit", { actor, action, search });

export const isFiltered = (filter: AuditFilter): boolean => Object.values(filter).some(Boolean);

const areaOf = (action: string) => action.split(".")[0] ?? "";

/** The things with several actions. */
const AREAS = [...new Set(AUDIT_ACTIONS.map(areaOf))].filter(
  (area) => AUDIT_ACTIONS.filter((action) => areaOf(action) === area).length > 1,
);

const ACTOR_TEXTS: Record<(typeof AUDIT_ACTORS)[number], TextKey> = {
  admin: "audit.actor.admin",
  cli: "audit.actor.cli",
  agent: "audit.actor.agent",
  user: "audit.actor.user",
};

export const ACTOR_OPTIONS = [
  { value: "", label: text("audit.all") },
  ...AUDIT_ACTORS.map((actor) => ({ value: actor as string, label: text(ACTOR_TEXTS[actor]) })),
];

/** Each action, after an entry for all actions of its thing. */
export const ACTION_OPTIONS = [
  { value: "", label: text("audit.all") },
  ...[...AREAS.map((area) => ({ value: area, label: `${area}.*` })), ...AUDIT_ACTIONS.map(asOption)].sort(
    (a, b) => a.label.localeCompare(b.label, "en"),
  ),
];

function asOption(action: string) {
  return { value: action, label: action };
}
