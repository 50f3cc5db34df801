import { text } from "../../texts/texts.ts";

export interface ComboboxOption {
  value: string;
  /** Said about it, beside its name. */
  about?: string;
}

interface OptionListProps {
  id: string;
  label: string;
  found: readonly ComboboxOption[];
  /** The index of the active option; -1 if none is. */
  active: number;
  /** The element that is put in its place beside the field. */
  panel: { current: HTMLDivElement | null };
  onChoose: (value: string | undefined) => void;
  /** Shown if nothing is found. */
  emptyText: string | undefined;
}

/** The options that were found, in the top layer of the page, where no scrolling area cuts them off. */
export function OptionList({ id, label, found, active, panel, onChoose, emptyText }: OptionListProps) {
  const chooseAt = (event: Event) => {
    // The focus stays in the field.
    event.preventDefault();
    const option = (event.target as Element).closest("[role=option]");
    const chosen = found.find((_, index) => option?.id === `${id}-${index}`);
    if (chosen) onChoose(chosen.value);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the field.
    <div ref={panel} class="combobox-list" popover="manual" onMouseDown={chooseAt}>
      {found.length === 0 ? <p class="combobox-empty">{emptyText}</p> : null}
      <div id={`${id}-list`} role="listbox" aria-label={text("combobox.options", { label })} tabindex={-1}>
        {found.map((option, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, which names the active option.
          <div
            key={option.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active ? "true" : "false"}
          >
            <span class="combobox-name">{option.value}</span>
            {option.about ? <span class="muted">{option.about}</span> : null}
          </div>
        ))}
      </div>
    </div>
  );
}
