import { useId } from "hono/jsx/dom";
import { classNames } from "./class-names.ts";

interface RadioCardsProps<Value extends string> {
  legend: string;
  /** Hides the legend except for screen readers, because a heading right above says the same. */
  isLegendHidden?: boolean;
  /** The choice's name in the form's data. */
  name: string;
  options: readonly { value: Value; title: string; about?: string }[];
  value: Value;
  onChoose: (value: Value) => void;
  /** Puts each option on a row of its own. By default, as many share a row as fit. */
  isList?: boolean;
}

/** Chooses one of a few options, each with a short description. */
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
