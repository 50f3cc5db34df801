import { Field, Select } from "../../components/field.tsx";
import { replaceHref } from "../../state/use-address.ts";
import { useTyping } from "../../state/use-typing.ts";
import { text } from "../../texts/texts.ts";
import { ACTION_OPTIONS, ACTOR_OPTIONS, type AuditFilter, auditHref } from "./audit-filter.ts";

/** The fields that choose changes. What is chosen is in the address. */
export function AuditFilterBar({ filter }: { filter: AuditFilter }) {
  const change = (changes: AuditFilter) => replaceHref(auditHref({ ...filter, ...changes }));
  const type = useTyping(change);
  return (
    <search class="requests-filter">
      <Select
        label={text("audit.actor")}
        name="actor"
        value={filter.actor ?? ""}
        options={ACTOR_OPTIONS}
        onInput={(actor) => change({ actor })}
      />
      <Select
        label={text("audit.action")}
        name="action"
        value={filter.action ?? ""}
        options={ACTION_OPTIONS}
        onInput={(action) => change({ action })}
      />
      <Field
        label={text("audit.search")}
        name="search"
        type="search"
        value={filter.search ?? ""}
        placeholder={text("audit.search.placeholder")}
        onInput={(search) => type({ search: search.trim() })}
      />
    </search>
  );
}
