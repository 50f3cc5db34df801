import { Button } from "../../components/button.tsx";
import { Combobox } from "../../components/combobox/combobox.tsx";
import { ScrollArea } from "../../components/scroll-area.tsx";
import { ROLES } from "../../components/table.tsx";
import { Icon } from "../../frame/icon.tsx";
import { text } from "../../texts/texts.ts";
import { PRICE_FIELDS, type PriceRow } from "./price-form.ts";

interface PriceTableProps {
  rows: readonly { id: number; row: PriceRow }[];
  /** The names of models to choose from. Others may be typed. */
  models: readonly string[];
  onRemove: (id: number) => void;
}

/** A table of fields, whose names in the form's data end with the number of their row. */
export function PriceTable({ rows, models, onRemove }: PriceTableProps) {
  const options = models.map((value) => ({ value }));
  return (
    <ScrollArea label={text("prices.list")}>
      <table {...ROLES.table} class="prices">
        <caption class="off-screen">{text("prices.list")}</caption>
        <thead>
          <tr>
            <th scope="col">{text("prices.model")}</th>
            {PRICE_FIELDS.map((field) => (
              <th key={field.field} scope="col" class="number">
                {text(field.title)}
                {"unit" in field ? <span class="price-unit">{text(field.unit)}</span> : null}
              </th>
            ))}
            <th scope="col">
              <span class="off-screen">{text("prices.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody {...ROLES.rows}>
          {rows.map(({ id, row }, index) => (
            <tr key={id} {...ROLES.row}>
              <td {...ROLES.cell}>
                <Combobox
                  name={`model-${id}`}
                  value={row.model}
                  label={text("prices.field", { row: index + 1, field: text("prices.model") })}
                  isLabelHidden
                  options={options}
                  isFree
                />
              </td>
              {PRICE_FIELDS.map(({ field, title }) => (
                <td key={field} {...ROLES.cell} data-title={text(title)}>
                  <Input
                    name={`${field}-${id}`}
                    value={row[field]}
                    label={text("prices.field", { row: index + 1, field: text(title) })}
                  />
                </td>
              ))}
              <td {...ROLES.cell}>
                <Button
                  kind="quiet"
                  isSmall
                  label={text("prices.removeRow", { row: index + 1 })}
                  tip={text("prices.remove")}
                  onClick={() => onRemove(id)}
                >
                  <Icon name="delete" />
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}

interface InputProps {
  name: string;
  value: string;
  label: string;
}

function Input({ name, value, label }: InputProps) {
  return (
    <div class="field">
      <input
        name={name}
        value={value}
        aria-label={label}
        inputmode="decimal"
        class="number"
        autocomplete="off"
        spellcheck={false}
      />
    </div>
  );
}
