import { Field, Select } from "../../components/field.tsx";
import { FilterChip } from "../../components/list/filter-chip.tsx";
import { formatTime } from "../../format.ts";
import { PERIODS, periodOf } from "../../state/period.ts";
import { replaceHref } from "../../state/use-address.ts";
import { useTyping } from "../../state/use-typing.ts";
import { errorWithCode } from "../../texts/error-words.ts";
import { text } from "../../texts/texts.ts";
import { FILTERS, type FilterName, type RequestView, requestsHref } from "./request-filter.ts";
import type { ShownRequest } from "./request-source.ts";

interface FiltersProps {
  view: RequestView;
  isAdmin: boolean;
  /** The requests in the list, which name users and agents. */
  requests: readonly ShownRequest[];
}

/** The fields that choose requests, and what is chosen. All of it is in the address. */
export function RequestFilters({ view, isAdmin, requests }: FiltersProps) {
  const change = (changes: Partial<RequestView>) =>
    replaceHref(requestsHref({ ...view, before: undefined, open: undefined, at: undefined, ...changes }));
  const type = useTyping(change);
  const field = (name: FilterName, placeholder: string) => (
    <Field
      label={FILTERS[name]}
      name={name}
      type="search"
      value={view[name] ?? ""}
      placeholder={placeholder}
      onInput={(typed) => type({ [name]: typed.trim() })}
    />
  );
  return (
    <>
      <search class="requests-filter">
        <Select
          label={text("requests.period")}
          name="period"
          value={view.period ?? (view.from ? "custom" : "")}
          options={periodsOf(view)}
          onInput={(name) => change({ period: periodOf(name), from: undefined, to: undefined })}
        />
        <Select
          label={FILTERS.outcome}
          name="outcome"
          value={view.outcome ?? ""}
          options={outcomesOf(view, requests)}
          onInput={(outcome) => change({ outcome })}
        />
        {field("model", "llama3.2")}
        {field("surface", "chat/completions")}
        {isAdmin ? field("user", text("requests.user.placeholder")) : null}
        {isAdmin ? field("agent", text("requests.agent.placeholder")) : null}
        {field("id", "req_…")}
      </search>
      <Chosen view={view} requests={requests} />
    </>
  );
}

function periodsOf({ from, to }: RequestView) {
  const until = to ? shortTime(to) : text("requests.period.now");
  const custom = {
    value: "custom",
    label: text("requests.period.custom", { from: shortTime(from), to: until }),
  };
  return [{ value: "", label: text("requests.period.all") }, ...PERIODS, ...(from ? [custom] : [])];
}

const shortTime = (time: string | undefined) => (time?.includes("T") ? formatTime(time) : (time ?? ""));

function outcomesOf({ outcome }: RequestView, requests: readonly ShownRequest[]) {
  const codes = new Set(requests.map((request) => request.outcome).filter((code) => code !== "ok"));
  if (outcome && outcome !== "ok" && outcome !== "failed") codes.add(outcome);
  return [
    { value: "", label: text("requests.outcome.all") },
    { value: "ok", label: text("requests.ok") },
    { value: "failed", label: text("requests.outcome.failed") },
    ...[...codes].sort().map((code) => ({ value: code, label: errorWithCode(code) })),
  ];
}

/** The chosen values with the names of what they stand for, each with a link that shows all again. */
function Chosen({ view, requests }: Omit<FiltersProps, "isAdmin">) {
  const chosen = (Object.keys(FILTERS) as FilterName[]).filter((name) => view[name]);
  if (chosen.length === 0) return null;
  return (
    <p class="row chosen">
      <span class="muted">{text("requests.only")}</span>
      {chosen.map((name) => (
        <FilterChip
          key={name}
          filter={FILTERS[name]}
          value={nameOf(name, view[name] ?? "", requests)}
          href={requestsHref({ ...view, [name]: undefined, before: undefined })}
        />
      ))}
    </p>
  );
}

function nameOf(filter: FilterName, value: string, requests: readonly ShownRequest[]): string {
  if (filter === "agent") return requests.find(({ agent }) => agent?.id === value)?.agent?.name || value;
  if (filter === "user") return requests.find(({ user }) => user?.user_id === value)?.user?.name || value;
  return filter === "outcome" ? errorWithCode(value) : value;
}
