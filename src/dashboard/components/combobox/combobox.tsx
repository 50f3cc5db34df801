import { useId } from "hono/jsx/dom";
import { describedBy, FieldHelp } from "../field.tsx";
import { type ComboboxOption, OptionList } from "./option-list.tsx";
import { type ComboboxBehavior, useCombobox } from "./use-combobox.ts";

interface ComboboxProps extends ComboboxBehavior {
  label: string;
  /** Read by screen readers only. */
  isLabelHidden?: boolean;
  name: string;
  options: readonly ComboboxOption[];
  hint?: string;
  required?: boolean;
  isFocused?: boolean;
  /** Shown in place of the list if nothing is found. A field for any text has none. */
  emptyText?: string;
}

/**
 * Chooses one of many options, which can be searched by typing: a combobox with a list, as the ARIA Authoring Practices
 * describe it. The arrow keys move in the list, Enter chooses, and Escape leaves all as it was.
 */
export function Combobox(props: ComboboxProps) {
  const { label, isLabelHidden, name, hint, required, isFocused, emptyText } = props;
  const id = useId();
  const { input, panel, found, activeIndex, isOpen, open, close, choose, search, onKeyDown } =
    useCombobox(props);
  return (
    <div class="field combobox">
      <label for={id} class={isLabelHidden ? "off-screen" : ""}>
        {label}
      </label>
      <div class="combobox-field">
        <input
          ref={input}
          id={id}
          name={name}
          type="text"
          role="combobox"
          autocomplete="off"
          autofocus={isFocused ?? false}
          required={required ?? false}
          spellcheck={false}
          aria-autocomplete="list"
          aria-expanded={isOpen ? "true" : "false"}
          aria-controls={`${id}-list`}
          aria-activedescendant={activeIndex >= 0 ? `${id}-${activeIndex}` : null}
          {...describedBy(id, hint)}
          onPointerEnter={showWhole}
          onClick={open}
          onFocus={() => input.current?.select()}
          onBlur={close}
          onInput={(event: Event) => search((event.target as HTMLInputElement).value)}
          onKeyDown={onKeyDown}
        />
        <span class="combobox-mark" aria-hidden="true" />
      </div>
      {isOpen ? (
        <OptionList
          id={id}
          label={label}
          found={found}
          active={activeIndex}
          panel={panel}
          onChoose={choose}
          emptyText={emptyText}
        />
      ) : null}
      <FieldHelp id={id} hint={hint} />
    </div>
  );
}

/** Shows on hover the whole of a text that is cut. */
function showWhole({ target }: Event): void {
  const field = target as HTMLInputElement;
  field.title = field.scrollWidth > field.clientWidth ? field.value : "";
}
