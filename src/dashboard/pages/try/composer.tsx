import { Button } from "../../components/button.tsx";
import { TextArea } from "../../components/field.tsx";
import { choice, talk } from "./try-state.ts";

interface ComposerProps {
  model: string;
  isBusy: boolean;
}

const FIELD = "question";

/** Where one writes: Ctrl or Cmd with Enter sends. */
export function Composer({ model, isBusy }: ComposerProps) {
  const send = (form: HTMLFormElement) => {
    const field = fieldOf(form);
    const question = field?.value ?? "";
    if (!field || isBusy || question.trim() === "") return;
    const { system } = choice.get();
    field.value = "";
    choice.set({ ...choice.get(), draft: "" });
    void talk.ask(question, model, system);
    field.focus();
  };
  return (
    <form
      class="composer"
      onSubmit={(event: Event) => {
        event.preventDefault();
        send(event.currentTarget as HTMLFormElement);
      }}
    >
      <TextArea
        label="Your message"
        name={FIELD}
        rows={2}
        value={choice.get().draft}
        placeholder="Ask something"
        onInput={(draft) => choice.set({ ...choice.get(), draft })}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          (event.target as HTMLTextAreaElement).form?.requestSubmit();
        }}
      />
      <div class="composer-actions">
        <Button type="submit" kind="primary" disabled={isBusy}>
          Send
        </Button>
        {isBusy ? (
          <Button
            onClick={() => {
              talk.stop();
              // The button leaves, and the focus must not be lost with it.
              document.querySelector<HTMLTextAreaElement>(`[name=${FIELD}]`)?.focus();
            }}
          >
            Stop
          </Button>
        ) : null}
        <span class="hint">Ctrl+Enter or ⌘+Enter sends it.</span>
      </div>
    </form>
  );
}

function fieldOf(form: HTMLFormElement): HTMLTextAreaElement | undefined {
  const field = form.elements.namedItem(FIELD);
  return field instanceof HTMLTextAreaElement ? field : undefined;
}
