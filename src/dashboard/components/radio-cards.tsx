import { useId } from "hono/jsx/dom";
import { classNames } from "./class-names.ts";

interface RadioCardsProps<Value extends string> {
  legend: string;
  /** A heading right above says it already: it is read out only. */
  isLegendHidden?: boolean;
  /** In a form, what its data has the choice under. */
  name: string;
  options: readonly { value: Value; title: string; about?: string }[];
  value: Value;
  onChoose: (value: Value) => void;
  /** As wide as it gets, one below the other; else as many in a row as there is room for. */
  isList?: boolean;
}

/** One of a few, each with a line about it. */
export function RadioCards<Value extends string>(props: RadioCardsProps<Value>) {
  const { legend, isLegendHidden, name, options, value, onChoose, isList } = props;
  const id = useId();
  return (
    <fieldset class="choices">
      <legend class={isLegendHidden ? "off-screen" : "label"}>{legend}</legend>
      <div class={classNames("choices-options", isList && "list")}>
        {options.map((option) => (
          <div key={option.value} class="choice">
            <input
              type="radio"
              id={`${id}-${option.value}`}
              name={name}
              value={option.value}
              checked={option.value === value}
              aria-describedby={option.about ? `${id}-${option.value}-about` : null}
              onInput={() => onChoose(option.value)}
            />
            <label for={`${id}-${option.value}`}>{option.title}</label>
            {option.about ? (
              <span class="choice-about" id={`${id}-${option.value}-about`}>
                {option.about}
              </span>
            ) : null}
          </div>
        ))}
      </div>
    </fieldset>
  );
}
