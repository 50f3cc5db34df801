import { useId, useRef } from "hono/jsx/dom";
import { searchable } from "../../../search-text.ts";
import { useEffect, useState } from "../../state/hooks.ts";
import { text } from "../../texts/texts.ts";

export interface ComboboxOption {
  value: string;
  /** Said about it, beside its name. */
  about?: string;
}

interface ComboboxProps {
  label: string;
  name: string;
  value: string;
  options: readonly ComboboxOption[];
  /** Shown in place of the list if nothing is found. */
  emptyText: string;
  onChoose: (value: string) => void;
}

/** Returns the options that contain every word of the search. */
export function findOptions(options: readonly ComboboxOption[], search: string): readonly ComboboxOption[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  return options.filter(({ value }) => words.every((word) => searchable(value).includes(word)));
}

/**
 * Chooses one of many options, which can be searched by typing: a combobox with a list, as the ARIA Authoring Practices
 * describe it. The arrow keys move in the list, Enter chooses, and Escape leaves all as it was.
 */
export function Combobox(props: ComboboxProps) {
  const { label, name, emptyText } = props;
  const id = useId();
  const { input, list, found, activeIndex, isOpen, open, close, choose, search, onKeyDown } =
    useCombobox(props);
  return (
    <div class="field combobox">
      <label for={id}>{label}</label>
      <input
        ref={input}
        id={id}
        name={name}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={isOpen ? "true" : "false"}
        aria-controls={`${id}-list`}
        aria-activedescendant={activeIndex >= 0 ? `${id}-${activeIndex}` : null}
        onClick={open}
        onFocus={() => input.current?.select()}
        onBlur={close}
        onInput={(event: Event) => search((event.target as HTMLInputElement).value)}
        onKeyDown={onKeyDown}
      />
      <span class="combobox-mark" aria-hidden="true" />
      {isOpen ? (
        <OptionList id={id} label={label} found={found} active={activeIndex} list={list} onChoose={choose}>
          {emptyText}
        </OptionList>
      ) : null}
    </div>
  );
}

function useCombobox({ value, options, onChoose }: ComboboxProps) {
  const input = useRef<HTMLInputElement | null>(null);
  const list = useRef<HTMLDivElement | null>(null);
  /** The text that was typed; undefined while the list is closed, and "" while it shows everything. */
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const [active, setActive] = useState(0);
  const isOpen = typed !== undefined;
  const found = isOpen ? findOptions(options, typed) : [];
  const activeIndex = Math.min(active, found.length - 1);
  useEffect(() => {
    if (!isOpen && input.current) input.current.value = value;
  }, [value, isOpen]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [isOpen, activeIndex]);

  const open = () => {
    if (isOpen) return;
    setActive(
      Math.max(
        0,
        options.findIndex((option) => option.value === value),
      ),
    );
    setTyped("");
  };
  const close = () => setTyped(undefined);
  const choose = (chosen: string | undefined) => {
    close();
    if (input.current) input.current.value = chosen ?? value;
    if (chosen !== undefined && chosen !== value) onChoose(chosen);
  };
  const search = (words: string) => {
    setActive(0);
    setTyped(words);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.isComposing ? undefined : keyAction(event.key, isOpen);
    if (action === undefined) return;
    event.preventDefault();
    if (action === "close") choose(undefined);
    else if (action === "choose") choose(found[activeIndex]?.value);
    else if (isOpen) setActive(moved(activeIndex, action, found.length - 1));
    else open();
  };
  return { input, list, found, activeIndex, isOpen, open, close, choose, search, onKeyDown };
}

/** Returns the place after a move. One step beyond an end leads to the other end. */
function moved(from: number, by: number, last: number): number {
  const to = from + by;
  if (Math.abs(by) > 1) return Math.max(0, Math.min(last, to));
  return to < 0 ? last : to > last ? 0 : to;
}

/** Returns what a key does: closes the list, chooses the active option, or moves by a number of options. */
function keyAction(key: string, isOpen: boolean): "close" | "choose" | number | undefined {
  if (key === "ArrowDown") return 1;
  if (key === "ArrowUp") return -1;
  if (!isOpen) return undefined;
  if (key === "PageDown") return 10;
  if (key === "PageUp") return -10;
  if (key === "Escape") return "close";
  return key === "Enter" ? "choose" : undefined;
}

interface OptionListProps {
  id: string;
  label: string;
  found: readonly ComboboxOption[];
  active: number;
  list: { current: HTMLDivElement | null };
  onChoose: (value: string | undefined) => void;
  children: string;
}

function OptionList({ id, label, found, active, list, onChoose, children }: OptionListProps) {
  const chooseAt = (event: Event) => {
    // The focus stays in the field.
    event.preventDefault();
    const option = (event.target as Element).closest("[role=option]");
    const chosen = found.find((_, index) => option?.id === `${id}-${index}`);
    if (chosen) onChoose(chosen.value);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the field.
    <div class="combobox-list" onMouseDown={chooseAt}>
      {found.length === 0 ? <p class="combobox-empty">{children}</p> : null}
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={text("combobox.options", { label })}
        tabindex={-1}
      >
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
