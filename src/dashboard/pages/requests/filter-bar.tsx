import { useRef } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import { Field, Select } from "../../components/field.tsx";
import { formatTime } from "../../format.ts";
import { PERIODS } from "../../state/period.ts";
import { replaceHref } from "../../state/query.ts";
import { FILTERS, type FilterName, type RequestView, requestsHref } from "./request-filter.ts";
import type { ShownRequest } from "./request-source.ts";

/** How long to wait for the next letter. */
const TYPING_MS = 400;

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
  const type = useTyping((name, text) => change({ [name]: text.trim() }));
  const field = (name: FilterName, placeholder: string) => (
    <Field
      label={FILTERS[name]}
      name={name}
      type="search"
      value={view[name] ?? ""}
      placeholder={placeholder}
      onInput={(text) => type(name, text)}
    />
  );
  return (
    <>
      <search class="requests-filter">
        <Select
          label="Period"
          name="period"
          value={view.period ?? (view.from ? "custom" : "")}
          options={periodsOf(view)}
          onInput={(period) => change({ period, from: undefined, to: undefined })}
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
        {isAdmin ? field("user", "ID, or admin") : null}
        {isAdmin ? field("agent", "ID") : null}
        {field("id", "req_…")}
      </search>
      <Chosen view={view} requests={requests} />
    </>
  );
}

/** Returns a function that takes what is typed, and passes it on after a pause. */
function useTyping(pass: (name: FilterName, text: string) => void) {
  const latest = useRef(pass);
  latest.current = pass;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (name: FilterName, text: string) => {
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => latest.current?.(name, text), TYPING_MS);
  };
}

function periodsOf({ from, to }: RequestView) {
  const custom = { value: "custom", label: `${shortTime(from)} to ${to ? shortTime(to) : "now"}` };
  return [{ value: "", label: "All" }, ...PERIODS, ...(from ? [custom] : [])];
}

const shortTime = (time: string | undefined) => (time?.includes("T") ? formatTime(time) : (time ?? ""));

function outcomesOf({ outcome }: RequestView, requests: readonly ShownRequest[]) {
  const codes = new Set(requests.map((request) => request.outcome).filter((code) => code !== "ok"));
  if (outcome && outcome !== "ok" && outcome !== "failed") codes.add(outcome);
  return [
    { value: "", label: "All" },
    { value: "ok", label: "ok" },
    { value: "failed", label: "failed" },
    ...[...codes].sort().map((code) => ({ value: code, label: code })),
  ];
}

/** The chosen values with the names of what they stand for, each with a link that shows all again. */
function Chosen({ view, requests }: Omit<FiltersProps, "isAdmin">) {
  const chosen = (Object.keys(FILTERS) as FilterName[]).filter((name) => view[name]);
  if (chosen.length === 0) return null;
  return (
    <p class="row chosen">
      <span class="muted">Only</span>
      {chosen.map((name) => (
        <a key={name} class="chip" href={requestsHref({ ...view, [name]: undefined, before: undefined })}>
          {FILTERS[name]}: <b>{printable(nameOf(name, view[name] ?? "", requests))}</b>{" "}
          <span aria-hidden="true">✕</span>
          <span class="off-screen">(remove)</span>
        </a>
      ))}
    </p>
  );
}

function nameOf(filter: FilterName, value: string, requests: readonly ShownRequest[]): string {
  if (filter === "agent") return requests.find(({ agent }) => agent?.id === value)?.agent?.name || value;
  if (filter === "user") return requests.find(({ user }) => user?.user_id === value)?.user?.name || value;
  return value;
}
