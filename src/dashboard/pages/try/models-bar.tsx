import type { OfferedModel } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Combobox } from "../../components/combobox/combobox.tsx";
import type { ComboboxOption } from "../../components/combobox/option-list.tsx";
import { formatShort } from "../../format.ts";
import { text } from "../../texts/texts.ts";
import { changeSettings } from "./try-state.ts";

interface ModelsBarProps {
  offered: readonly OfferedModel[];
  /** The chosen models: one, or two. */
  models: readonly string[];
  onReload: () => void;
}

/** Chooses the model, or two models to compare. */
export function ModelsBar({ offered, models, onReload }: ModelsBarProps) {
  const options = offered.map(optionOf);
  const [first = "", second] = models;
  const choose = (index: number, model: string) =>
    changeSettings({ models: models.map((one, at) => (at === index ? model : one)) });
  return (
    <div class="models-bar">
      <Combobox
        label={text(second === undefined ? "try.model" : "try.model.first")}
        name="model"
        value={first}
        options={options}
        emptyText={text("try.model.none")}
        onChoose={(model) => choose(0, model)}
      />
      {second === undefined ? null : (
        <Combobox
          label={text("try.model.second")}
          name="model-2"
          value={second}
          options={options}
          emptyText={text("try.model.none")}
          onChoose={(model) => choose(1, model)}
        />
      )}
      <div class="row">
        <Button
          onClick={() => {
            const other = offered.find(({ id }) => id !== first)?.id ?? first;
            changeSettings({ models: second === undefined ? [first, other] : [first] });
          }}
        >
          {text(second === undefined ? "try.compare" : "try.compare.end")}
        </Button>
        <Button kind="quiet" label={text("try.model.refresh.label")} onClick={onReload}>
          {text("try.model.refresh")}
        </Button>
      </div>
    </div>
  );
}

function optionOf({ id, context_length: length, capabilities = [] }: OfferedModel): ComboboxOption {
  const about = [
    capabilities.includes("vision") ? text("try.model.vision") : "",
    length === undefined ? "" : text("try.model.context", { length: formatShort(length) }),
  ];
  return { value: id, about: about.filter(Boolean).join(" · ") };
}
