import { Button } from "../../components/button.tsx";
import { TextArea } from "../../components/field.tsx";
import { composerInput, conversation } from "./try-state.ts";

interface ComposerProps {
  model: string;
  isBusy: boolean;
}

const FIELD = "question";

/** The field for a message. Ctrl+Enter or Cmd+Enter sends it. */
export function Composer({ model, isBusy }: ComposerProps) {
  const send = (form: HTMLFormElement) => {
    const field = fieldOf(form);
    const question = field?.value ?? "";
    if (!field || isBusy || question.trim() === "") return;
    const { system } = composerInput.get();
    field.value = "";
    composerInput.set({ ...composerInput.get(), draft: "" });
    void conversation.send(question, model, system);
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
        value={composerInput.get().draft}
        placeholder="Ask anything"
        onInput={(draft) => composerInput.set({ ...composerInput.get(), draft })}
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
              conversation.stop();
              // The button disappears, and must not take the focus with it.
              document.querySelector<HTMLTextAreaElement>(`[name=${FIELD}]`)?.focus();
            }}
          >
            Stop
          </Button>
        ) : null}
        <span class="hint">Press Ctrl+Enter or ⌘+Enter to send.</span>
      </div>
    </form>
  );
}

function fieldOf(form: HTMLFormElement): HTMLTextAreaElement | undefined {
  const field = form.elements.namedItem(FIELD);
  return field instanceof HTMLTextAreaElement ? field : undefined;
}
