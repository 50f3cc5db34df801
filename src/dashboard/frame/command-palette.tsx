import { useId, useRef } from "hono/jsx/dom";
import { errorText } from "../api/request.ts";
import type { SessionAnswer } from "../api/types.ts";
import { Dialog } from "../components/dialog.tsx";
import { showToast } from "../components/toast.tsx";
import { useEffect, useState } from "../state/hooks.ts";
import { createStore, type Store } from "../state/store.ts";
import { useFetch } from "../state/use-fetch.ts";
import { useStore } from "../state/use-store.ts";
import { text } from "../texts/texts.ts";
import { type Command, findCommands, loadCommands, ownCommands } from "./commands.ts";
import { Icon } from "./icon.tsx";

type Role = SessionAnswer["role"];

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

const isOpen: Store<boolean> = createStore(false);

/** Opens the command palette. */
export function PaletteButton() {
  return (
    <button
      type="button"
      class="palette-button"
      aria-keyshortcuts={isMac ? "Meta+K" : "Control+K"}
      onClick={() => isOpen.set(true)}
    >
      <Icon name="search" />
      <span>{text("palette.button")}</span>
      <span class="palette-keys" aria-hidden="true">
        {isMac ? "⌘K" : "Ctrl K"}
      </span>
    </button>
  );
}

/** The command palette, which also Ctrl+K opens (⌘K on a Mac). */
export function CommandPalette({ role }: { role: Role }) {
  const isShown = useStore(isOpen);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(isMac ? event.metaKey : event.ctrlKey)) return;
      if (event.altKey || event.shiftKey) return;
      event.preventDefault();
      // Another dialog, or a sign-in over the page, keeps the keyboard.
      if (document.querySelector("dialog[open]") === null) isOpen.set(true);
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      isOpen.set(false);
    };
  }, []);
  return isShown ? <Palette role={role} onClose={() => isOpen.set(false)} /> : null;
}

function Palette({ role, onClose }: { role: Role; onClose: () => void }) {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const { value: loaded = [], isLoading } = useFetch((signal) => loadCommands(role, signal), [role]);
  const id = useId();
  const list = useRef<HTMLElement | null>(null);
  const found = findCommands([...ownCommands(role), ...loaded], query);
  const at = Math.min(chosen, found.length - 1);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    if (command.href?.startsWith("#")) location.hash = command.href;
    else if (command.href !== undefined) open(command.href, "_blank", "noopener");
    // `run` may reject, as when the server cannot be reached.
    else Promise.resolve(command.run?.()).catch((error) => showToast(errorText(error), "bad"));
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || (step === undefined && event.key !== "Enter")) return;
    event.preventDefault();
    if (step === undefined) run(found[at]);
    else setChosen((at + step + found.length) % Math.max(1, found.length));
  };
  return (
    <Dialog title={text("palette.title")} onClose={onClose}>
      <input
        type="text"
        role="combobox"
        class="palette-input"
        autofocus
        aria-label={text("palette.label")}
        placeholder={text("palette.placeholder")}
        autocomplete="off"
        spellcheck={false}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : null}
        value={query}
        onKeyDown={onKey}
        onInput={(event: InputEvent) => {
          setQuery((event.target as HTMLInputElement).value);
          setChosen(0);
        }}
      />
      <div
        ref={list}
        id={`${id}-list`}
        class="palette-list"
        role="listbox"
        aria-label={text("palette.results")}
      >
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, as in the pattern of a combobox.
          <div
            key={command.id}
            id={`${id}-${index}`}
            role="option"
            class="palette-option"
            aria-selected={index === at ? "true" : "false"}
            onClick={() => run(command)}
            onKeyDown={onKey}
          >
            <span class="palette-title" dir="auto" title={command.title}>
              {command.title}
            </span>
            <span class="muted">{command.kind}</span>
          </div>
        ))}
      </div>
      <p class={found.length === 0 ? "muted" : "muted palette-hint"} role="status">
        {found.length === 0 ? text(isLoading ? "palette.loading" : "palette.none") : text("palette.keys")}
      </p>
    </Dialog>
  );
}
