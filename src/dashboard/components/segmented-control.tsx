import { useId } from "hono/jsx/dom";

interface SegmentedControlProps<Value extends string> {
  /** Says what is being chosen. For screen readers only. */
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChoose: (value: Value) => void;
}

/** Chooses one of a few visible options. The arrow keys move between them. */
export function SegmentedControl<Value extends string>(props: SegmentedControlProps<Value>) {
  const { label, value, options, onChoose } = props;
  const id = useId();
  return (
    <fieldset class="segments">
      <legend class="off-screen">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="segment">
          <input
            type="radio"
            name={id}
            value={option.value}
            checked={option.value === value}
            onInput={() => onChoose(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
