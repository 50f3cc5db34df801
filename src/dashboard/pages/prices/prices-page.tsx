import { useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { PriceList, SettingsAnswer } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { showToast } from "../../components/toast.tsx";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { refreshSession } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { type SettingsState, useSettings } from "../../state/use-settings.ts";
import { richText, text } from "../../texts/texts.ts";
import { EMPTY_ROW, PRICE_FIELDS, type PriceRow, readPrices, rowsOf } from "./price-form.ts";
import { PriceTable } from "./price-table.tsx";

/** The prices of models, which can be changed while the server runs. */
export function PricesPage() {
  const { answer, error, change } = useSettings();
  // The editor begins anew with what was saved, and keeps what was typed until then.
  const [saves, setSaves] = useState(0);
  const setting = answer?.settings["prices"];
  return (
    <>
      <PageHeader
        title={text("prices.title")}
        lead={richText("prices.lead", {
          usage: <a href={hrefOf("usage")}>{text("prices.lead.usage")}</a>,
        })}
      />
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {setting ? (
        <PriceEditor
          key={saves}
          setting={setting}
          change={change}
          onSaved={() => setSaves((before) => before + 1)}
        />
      ) : null}
    </>
  );
}

interface PriceEditorProps {
  setting: SettingsAnswer["settings"][string];
  change: SettingsState["change"];
  onSaved: () => void;
}

function PriceEditor({ setting, change, onSaved }: PriceEditorProps) {
  const list = setting.current as PriceList;
  const { value: models } = useFetch((signal) => api.models(signal), []);
  const next = useRef(0);
  const numbered = (row: PriceRow) => {
    const id = next.current ?? 0;
    next.current = id + 1;
    return { id, row };
  };
  const [rows, setRows] = useState(() => rowsOf(list).map(numbered));
  const save = async (prices: PriceList | null) => {
    await change({ prices });
    onSaved();
    showToast(text(prices ? "prices.saved" : "prices.reset"));
    // The session tells the currency.
    await refreshSession();
  };
  const read = (fields: Record<string, string>) =>
    readPrices(
      fields["currency"] ?? "",
      rows.map(({ id }) => rowIn(fields, id)),
    );
  return (
    <Card title={text("prices.list")}>
      <Form
        submit={text("prices.save")}
        onSubmit={(fields) => save(read(fields))}
        actions={
          <>
            <Button onClick={() => setRows((before) => [...before, numbered(EMPTY_ROW)])}>
              {text("prices.add")}
            </Button>
            {setting.changed_at ? (
              <Button kind="quiet" onClick={() => save(null)}>
                {text("prices.useDefault")}
              </Button>
            ) : null}
          </>
        }
      >
        <div class="price-currency">
          <Field
            label={text("prices.currency")}
            name="currency"
            value={list.currency}
            hint={text("prices.currency.hint")}
            autocomplete="off"
            required
          />
        </div>
        <p class="hint">{text("prices.explained")}</p>
        {rows.length === 0 ? (
          <EmptyState title={text("prices.empty")}>
            <p>{text("prices.empty.hint")}</p>
          </EmptyState>
        ) : (
          <PriceTable
            rows={rows}
            models={models ?? []}
            onRemove={(id) => setRows((before) => before.filter((one) => one.id !== id))}
          />
        )}
      </Form>
    </Card>
  );
}

/** Returns the texts of a row. */
function rowIn(fields: Readonly<Record<string, string>>, id: number): PriceRow {
  const textOf = (name: string) => fields[`${name}-${id}`] ?? "";
  const prices = PRICE_FIELDS.map(({ field }) => [field, textOf(field)]);
  return { ...EMPTY_ROW, ...Object.fromEntries(prices), model: textOf("model") };
}
