import { useRef } from "hono/jsx/dom";
import { searchable } from "../../../search-text.ts";
import { useEffect, useState } from "../../state/hooks.ts";
import type { ComboboxOption } from "./option-list.tsx";
import { placeList } from "./place-list.ts";

export interface ComboboxBehavior {
  value: string;
  options: readonly ComboboxOption[];
  /** Any other text may be typed, too. The field then keeps what was typed until the form is submitted. */
  isFree?: boolean;
  onChoose?: (value: string) => void;
  /** Called with each text that is typed. */
  onInput?: (value: string) => void;
  /** Called for the keys that the list does not use. */
  onKeyDown?: (event: KeyboardEvent) => void;
}

type KeyAction = "close" | "choose" | number;

/** The index of no option. */
const NONE = -1;

/** Returns the options that contain every word of the search. */
function findOptions(options: readonly ComboboxOption[], search: string): readonly ComboboxOption[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  return options.filter(({ value }) => words.every((word) => searchable(value).includes(word)));
}

/** Returns the state of a combobox, and what its keys and its list do. */
export function useCombobox(behavior: ComboboxBehavior) {
  const { value, options, isFree = false, onChoose, onInput } = behavior;
  const input = useRef<HTMLInputElement | null>(null);
  const panel = useRef<HTMLDivElement | null>(null);
  /** The text that was typed; undefined while the list is closed, and "" while it shows everything. */
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const [active, setActive] = useState(0);
  const found = typed === undefined ? [] : findOptions(options, typed);
  // In a free field, a list without options would only be in the way.
  const isOpen = typed !== undefined && !(isFree && found.length === 0);
  const activeIndex = Math.min(active, found.length - 1);
  const isShowingValue = isFree || typed === undefined;
  useEffect(() => {
    if (isShowingValue && input.current) input.current.value = value;
  }, [value, isShowingValue]);
  useEffect(
    () => (isOpen && input.current && panel.current ? placeList(input.current, panel.current) : undefined),
    [isOpen],
  );
  useEffect(() => {
    panel.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [isOpen, activeIndex]);

  const open = () => {
    if (typed !== undefined) return;
    const chosen = options.findIndex((option) => option.value === value);
    setActive(isFree ? NONE : Math.max(0, chosen));
    setTyped("");
  };
  const close = () => setTyped(undefined);
  const choose = (chosen: string | undefined) => {
    close();
    if (input.current && !(isFree && chosen === undefined)) input.current.value = chosen ?? value;
    if (chosen !== undefined && (isFree || chosen !== value)) onChoose?.(chosen);
  };
  const search = (words: string) => {
    setActive(isFree ? NONE : 0);
    setTyped(words);
    onInput?.(words);
  };
  const act = (action: KeyAction) => {
    if (action === "close") choose(undefined);
    else if (action === "choose") choose(found[activeIndex]?.value);
    else if (isOpen) setActive(moved(activeIndex, action, found.length - 1));
    else open();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.isComposing ? undefined : keyAction(event.key, isOpen);
    // Enter then means what was typed.
    const isTyped = action === "choose" && isFree && activeIndex === NONE;
    if (isTyped) close();
    if (isTyped || action === undefined) return behavior.onKeyDown?.(event);
    event.preventDefault();
    act(action);
  };
  return { input, panel, found, activeIndex, isOpen, open, close, choose, search, onKeyDown };
}

/** Returns the place after a move. One step beyond an end leads to the other end. */
function moved(from: number, by: number, last: number): number {
  const to = from + by;
  if (Math.abs(by) > 1) return Math.max(0, Math.min(last, to));
  return to < 0 ? last : to > last ? 0 : to;
}

/** Returns what a key does: closes the list, chooses the active option, or moves by a number of options. */
function keyAction(key: string, isOpen: boolean): KeyAction | undefined {
  if (key === "ArrowDown") return 1;
  if (key === "ArrowUp") return -1;
  if (!isOpen) return undefined;
  if (key === "PageDown") return 10;
  if (key === "PageUp") return -10;
  if (key === "Escape") return "close";
  return key === "Enter" ? "choose" : undefined;
}
