import { useMemo } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AdminModel } from "../../api/types.ts";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { useShowMore } from "../../components/list/use-show-more.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type AddressValues, useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { countedText, text } from "../../texts/texts.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { ModelTable } from "./model-list.tsx";
import { PeriodSelect, useModelPeriod } from "./model-period.tsx";
import { MODEL_FILTERS, MODEL_ORDERS, type ModelView, selectModels } from "./model-rows.ts";
import { AliasesCard } from "./names/aliases-card.tsx";
import { FallbacksCard } from "./names/fallbacks-card.tsx";
import { isOffered } from "./names/offered.ts";
import { type ModelNames, useModelSettings } from "./names/use-model-settings.ts";

/** All models, with their agents and requests, and the other names and fallbacks that are set for them. */
export function ModelsOverview() {
  const { period, from, reloadMs } = useModelPeriod();
  const { value, error, reload } = useFetch((signal) => api.modelStates(from(), signal), [period]);
  const settings = useModelSettings(reload);
  usePoll(reload, reloadMs);
  const offered = useMemo(() => (value?.models ?? []).filter(({ agents }) => agents.total > 0), [value]);
  const names = useMemo(() => offered.map(({ id }) => id), [offered]);
  return (
    <>
      <PageHeader title={text("nav.models")} lead={leadOf(value?.models, offered.length)} />
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value?.missing_nodes && value.missing_nodes.length > 0 ? (
        <Notice tone="warn">{text("models.missingNodes", { nodes: value.missing_nodes.join(", ") })}</Notice>
      ) : null}
      {value ? <ModelList models={value.models} /> : null}
      {settings.error ? <Notice tone="bad">{settings.error}</Notice> : null}
      {settings.current ? (
        <>
          <AliasesCard settings={settings} offered={names} />
          <FallbacksCard
            settings={settings}
            offered={[...names, ...usableAliases(settings.current, names)]}
          />
        </>
      ) : null}
    </>
  );
}

/** Returns the aliases that lead to a model that agents offer: they may stand among fallbacks. */
function usableAliases({ modelAliases }: ModelNames, offered: readonly string[]): string[] {
  return Object.keys(modelAliases).filter((name) => isOffered(modelAliases[name] ?? "", offered));
}

function leadOf(models: readonly AdminModel[] | undefined, offered: number): string {
  if (!models) return text("models.lead");
  const missing = models.length - offered;
  const count = countedText("models.offeredCount", offered);
  return missing > 0 ? `${count} ${countedText("models.missingCount", missing)}` : count;
}

/** Reads the choices in the address. */
function viewOf({ get }: AddressValues): ModelView {
  return {
    search: get("search") ?? "",
    filter: MODEL_FILTERS.find(({ value }) => value === get("show"))?.value ?? "all",
    order: MODEL_ORDERS.find(({ value }) => value === get("order"))?.value ?? "requests",
  };
}

function ModelList({ models }: { models: readonly AdminModel[] }) {
  const address = useAddress();
  const { period, inAddress } = useModelPeriod();
  const view = viewOf(address);
  const found = selectModels(models, view);
  const { shown, more } = useShowMore(found);
  if (models.length === 0) return <NoModels />;
  const isAll = view.search === "" && view.filter === "all";
  return (
    <>
      <search class="filter-bar">
        <Field
          label={text("models.search")}
          name="search"
          type="search"
          placeholder={text("models.searchFor")}
          value={view.search}
          onInput={(search) => address.change({ search })}
        />
        <Select
          label={text("models.show")}
          name="show"
          value={view.filter}
          options={MODEL_FILTERS}
          onInput={(show) => address.change({ show: show === "all" ? undefined : show })}
        />
        <Select
          label={text("models.sortBy")}
          name="order"
          value={view.order}
          options={MODEL_ORDERS}
          onInput={(order) => address.change({ order: order === "requests" ? undefined : order })}
        />
        <PeriodSelect />
      </search>
      <p class="off-screen" role="status">
        {isAll ? "" : countedText("models.found", found.length)}
      </p>
      <Card isFlush class="models-card">
        {found.length > 0 ? (
          <ModelTable models={shown} period={period} periodInAddress={inAddress} />
        ) : (
          <EmptyState title={text("models.noMatch")}>
            <p>{text("models.noMatch.next")}</p>
          </EmptyState>
        )}
        {more}
      </Card>
    </>
  );
}

function NoModels() {
  return (
    <Card>
      <EmptyState title={text("models.none")}>
        <p>{text("models.none.next")}</p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}
