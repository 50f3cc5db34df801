import { useRef } from "hono/jsx/dom";
import { printable } from "../../../../printable.ts";
import { Button } from "../../../components/button.tsx";
import { Combobox } from "../../../components/combobox/combobox.tsx";
import { useEffect, useState } from "../../../state/hooks.ts";
import { text } from "../../../texts/texts.ts";
import { isOffered } from "./offered.ts";

interface FallbackEditorProps {
  /** In the order in which they answer. */
  models: readonly string[];
  offered: readonly string[];
  onChange: (models: readonly string[]) => void;
}

type Direction = "up" | "down";

/** An ordered list of models: each can be moved and removed, and others can be added at its end. */
export function FallbackEditor({ models, offered, onChange }: FallbackEditorProps) {
  const root = useRef<HTMLDivElement | null>(null);
  const said = useSaid();
  const focusOn = useFocusAfter(root, models.join("\n"));
  const add = () => {
    const field = fieldIn(root.current);
    const name = field?.value.trim() ?? "";
    if (!field || name === "") return;
    field.value = "";
    field.focus();
    if (models.includes(name)) return;
    onChange([...models, name]);
    said.say(text("models.fallback.isAdded", { model: printable(name), place: models.length + 1 }));
  };
  const move = (index: number, direction: Direction) => {
    const to = index + (direction === "up" ? -1 : 1);
    const [model = ""] = models.slice(index, index + 1);
    const next = models.toSpliced(index, 1).toSpliced(to, 0, model);
    // At an end of the list, the button for this direction is disabled and cannot have the focus.
    const isAtEnd = to === (direction === "up" ? 0 : models.length - 1);
    focusOn(`[data-move="${isAtEnd ? (direction === "up" ? "down" : "up") : direction}-${to}"]`);
    onChange(next);
    said.say(text("models.fallback.isMoved", { model: printable(model), place: to + 1, count: next.length }));
  };
  const remove = (index: number) => {
    focusOn("input[name=other]");
    onChange(models.toSpliced(index, 1));
    said.say(text("models.fallback.isRemoved", { model: printable(models[index] ?? "") }));
  };
  return (
    <div class="fallback-editor" ref={root}>
      <p class="label">{text("models.fallback.order")}</p>
      {models.length === 0 ? <p class="hint">{text("models.fallback.empty")}</p> : null}
      <ol class="fallback-rows" aria-label={text("models.fallback.order")}>
        {models.map((model, index) => (
          <FallbackRow
            key={model}
            {...{ model, index, count: models.length, isMissing: !isOffered(model, offered) }}
            onMove={(direction) => move(index, direction)}
            onRemove={() => remove(index)}
          />
        ))}
      </ol>
      <div class="fallback-add">
        <Combobox
          label={text("models.fallback.addOne")}
          name="other"
          value=""
          options={offered.filter((model) => !models.includes(model)).map((value) => ({ value }))}
          isFree
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.isComposing || !fieldIn(root.current)?.value.trim()) return;
            // Otherwise the form would be saved.
            event.preventDefault();
            add();
          }}
        />
        <Button onClick={add}>{text("models.add")}</Button>
      </div>
      <p class="off-screen" role="status">
        {said.text}
      </p>
    </div>
  );
}

const fieldIn = (root: HTMLElement | null) => root?.querySelector<HTMLInputElement>("input[name=other]");

/** Keeps what screen readers are to say about the last change. */
function useSaid() {
  const [said, setSaid] = useState("");
  return { text: said, say: setSaid };
}

/** Returns a function that puts the focus on an element once the list has changed. */
function useFocusAfter(root: { current: HTMLElement | null }, key: string) {
  const wanted = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    root.current?.querySelector<HTMLElement>(wanted.current)?.focus();
    wanted.current = undefined;
  }, [key]);
  return (selector: string) => {
    wanted.current = selector;
  };
}

interface FallbackRowProps {
  model: string;
  index: number;
  count: number;
  isMissing: boolean;
  onMove: (direction: Direction) => void;
  onRemove: () => void;
}

function FallbackRow({ model, index, count, isMissing, onMove, onRemove }: FallbackRowProps) {
  const shown = { model: printable(model) };
  const moveButton = (direction: Direction, label: string, isDisabled: boolean) => (
    <button
      type="button"
      class="button plain small"
      data-move={`${direction}-${index}`}
      aria-label={label}
      disabled={isDisabled}
      onClick={() => onMove(direction)}
    >
      {direction === "up" ? "↑" : "↓"}
    </button>
  );
  return (
    <li class="fallback-row">
      <span class="fallback-name">
        {printable(model)}
        {isMissing ? <span class="muted"> {text("models.fallback.notOffered")}</span> : null}
      </span>
      <span class="fallback-buttons">
        {moveButton("up", text("models.fallback.up", shown), index === 0)}
        {moveButton("down", text("models.fallback.down", shown), index === count - 1)}
        <button
          type="button"
          class="button plain small"
          aria-label={text("models.fallback.removeFrom", shown)}
          onClick={onRemove}
        >
          ✕
        </button>
      </span>
    </li>
  );
}
