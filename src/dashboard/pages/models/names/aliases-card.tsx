import { printable } from "../../../../printable.ts";
import { Badge } from "../../../components/badge.tsx";
import { Button } from "../../../components/button.tsx";
import { Card, EmptyState } from "../../../components/card.tsx";
import { ConfirmDialog } from "../../../components/dialog.tsx";
import { useShowMore } from "../../../components/list/use-show-more.tsx";
import { Name } from "../../../components/name.tsx";
import { type Column, Table } from "../../../components/table.tsx";
import { showToast } from "../../../components/toast.tsx";
import { useState } from "../../../state/hooks.ts";
import { hrefOf } from "../../../state/route.ts";
import { text } from "../../../texts/texts.ts";
import { AliasDialog } from "./alias-dialog.tsx";
import { isOffered } from "./offered.ts";
import { SettingSource } from "./setting-source.tsx";
import { type NamesProps, sortedEntries, without } from "./use-model-settings.ts";

/** An alias, and the model that it leads to. */
type Alias = [name: string, model: string];

type Open = { what: "add" } | { what: "edit" | "remove"; alias: Alias };

/** The other names of models, which can be changed while the server runs. */
export function AliasesCard({ settings, offered }: NamesProps) {
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const close = () => setOpen(undefined);
  const { shown, more } = useShowMore(sortedEntries(settings.current?.modelAliases ?? {}));
  return (
    <Card
      title={text("models.aliases")}
      isFlush
      class="models-card"
      actions={
        <Button isSmall onClick={() => setOpen({ what: "add" })}>
          {text("models.alias.add")}
        </Button>
      }
    >
      <SettingSource settings={settings} name="modelAliases" />
      <Table
        caption={text("models.aliases")}
        columns={columnsOf(offered, setOpen)}
        rows={shown}
        keyOf={([name]) => name}
        empty={
          <EmptyState title={text("models.alias.none")}>
            <p>{text("models.alias.none.next")}</p>
          </EmptyState>
        }
      />
      {more}
      {open?.what === "add" || open?.what === "edit" ? (
        <AliasDialog
          settings={settings}
          offered={offered}
          alias={open.what === "edit" ? open.alias : undefined}
          onClose={close}
        />
      ) : null}
      {open?.what === "remove" ? (
        <RemoveAlias settings={settings} alias={open.alias} onClose={close} />
      ) : null}
    </Card>
  );
}

function columnsOf(offered: readonly string[], setOpen: (open: Open) => void): Column<Alias>[] {
  return [
    {
      title: text("models.alias"),
      cell: ([name]) => <Name text={printable(name)} class="model-name" />,
      isHeader: true,
    },
    {
      title: text("models.column.model"),
      cell: ([, model]) => (
        <Name text={printable(model)} class="model-name">
          <a href={hrefOf("models", model)}>{printable(model)}</a>
        </Name>
      ),
    },
    {
      title: text("models.alias.note"),
      cell: (alias) => <AliasNotes alias={alias} offered={offered} />,
    },
    {
      title: text("models.actions"),
      cell: (alias) => (
        <span class="row">
          <Button
            isSmall
            label={text("models.alias.editOne", { name: alias[0] })}
            onClick={() => setOpen({ what: "edit", alias })}
          >
            {text("models.edit")}
          </Button>
          <Button
            isSmall
            label={text("models.alias.removeOne", { name: alias[0] })}
            onClick={() => setOpen({ what: "remove", alias })}
          >
            {text("models.remove")}
          </Button>
        </span>
      ),
    },
  ];
}

function AliasNotes({ alias: [name, model], offered }: { alias: Alias } & Pick<NamesProps, "offered">) {
  const isMissing = !isOffered(model, offered);
  const hides = offered.includes(name);
  if (!isMissing && !hides) return <span class="muted">–</span>;
  return (
    <span class="row">
      {isMissing ? <Badge tone="warn">{text("models.alias.notOffered")}</Badge> : null}
      {hides ? <Badge tone="warn">{text("models.alias.hides")}</Badge> : null}
    </span>
  );
}

interface RemoveProps extends Pick<NamesProps, "settings"> {
  alias: Alias;
  onClose: () => void;
}

function RemoveAlias({ settings, alias: [name, model], onClose }: RemoveProps) {
  const names = { name: printable(name), model: printable(model) };
  return (
    <ConfirmDialog
      title={text("models.alias.remove.title")}
      action={text("models.remove")}
      onConfirm={async () => {
        await settings.change(({ modelAliases }) => ({ modelAliases: without(modelAliases, name) }));
        showToast(text("models.alias.removed", names));
      }}
      onClose={onClose}
    >
      <p class="wrap-anywhere">{text("models.alias.remove.about", names)}</p>
    </ConfirmDialog>
  );
}
