import { printable } from "../../../../printable.ts";
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
import { FallbackDialog } from "./fallback-dialog.tsx";
import { FallbackList } from "./fallback-list.tsx";
import { SettingSource } from "./setting-source.tsx";
import { type NamesProps, sortedEntries, without } from "./use-model-settings.ts";

/** A model, and the models that answer when it cannot. */
type Fallback = [model: string, others: readonly string[]];

type Open = { what: "add" } | { what: "edit" | "remove"; model: string };

/** The fallbacks of models, which can be changed while the server runs. */
export function FallbacksCard({ settings, offered }: NamesProps) {
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const close = () => setOpen(undefined);
  const { shown, more } = useShowMore(sortedEntries(settings.current?.fallbacks ?? {}));
  return (
    <Card
      title={text("models.fallbacks")}
      isFlush
      class="models-card"
      actions={
        <Button isSmall onClick={() => setOpen({ what: "add" })}>
          {text("models.fallback.add")}
        </Button>
      }
    >
      <SettingSource settings={settings} name="fallbacks" />
      <Table
        caption={text("models.fallbacks")}
        columns={columnsOf(offered, setOpen)}
        rows={shown}
        keyOf={([model]) => model}
        empty={
          <EmptyState title={text("models.fallback.none")}>
            <p>{text("models.fallback.none.next")}</p>
          </EmptyState>
        }
      />
      {more}
      {open?.what === "add" || open?.what === "edit" ? (
        <FallbackDialog
          settings={settings}
          offered={offered}
          model={open.what === "edit" ? open.model : undefined}
          onClose={close}
        />
      ) : null}
      {open?.what === "remove" ? (
        <RemoveFallbacks settings={settings} model={open.model} onClose={close} />
      ) : null}
    </Card>
  );
}

function columnsOf(offered: readonly string[], setOpen: (open: Open) => void): Column<Fallback>[] {
  return [
    {
      title: text("models.column.model"),
      cell: ([model]) => (
        <Name text={printable(model)} class="model-name">
          <a href={hrefOf("models", model)}>{printable(model)}</a>
        </Name>
      ),
      isHeader: true,
    },
    {
      title: text("models.fallback.order"),
      cell: ([, others]) => <FallbackList models={others} offered={offered} />,
    },
    {
      title: text("models.actions"),
      cell: ([model]) => (
        <span class="row">
          <Button
            isSmall
            label={text("models.fallback.editOne", { model })}
            onClick={() => setOpen({ what: "edit", model })}
          >
            {text("models.edit")}
          </Button>
          <Button
            isSmall
            label={text("models.fallback.removeOne", { model })}
            onClick={() => setOpen({ what: "remove", model })}
          >
            {text("models.remove")}
          </Button>
        </span>
      ),
    },
  ];
}

interface RemoveProps extends Pick<NamesProps, "settings"> {
  model: string;
  onClose: () => void;
}

function RemoveFallbacks({ settings, model, onClose }: RemoveProps) {
  const shown = { model: printable(model) };
  return (
    <ConfirmDialog
      title={text("models.fallback.remove.title")}
      action={text("models.remove")}
      onConfirm={async () => {
        await settings.change(({ fallbacks }) => ({ fallbacks: without(fallbacks, model) }));
        showToast(text("models.fallback.removed", shown));
      }}
      onClose={onClose}
    >
      <p class="wrap-anywhere">{text("models.fallback.remove.about", shown)}</p>
    </ConfirmDialog>
  );
}
