import { createStore } from "../state/store.ts";
import { useStore } from "../state/use-store.ts";
import { text } from "../texts/texts.ts";

interface Toast {
  id: number;
  text: string;
  tone: "ok" | "bad";
}

const SHOWN_MS = 5_000;
const TOASTS_MAX = 4;

const toasts = createStore<readonly Toast[]>([]);
let newest = 0;

/** Shows a short message at the edge of the page. It disappears by itself unless it reports a failure. */
export function showToast(text: string, tone: Toast["tone"] = "ok"): void {
  const id = ++newest;
  toasts.set([...toasts.get(), { id, text, tone }].slice(-TOASTS_MAX));
  if (tone === "ok") setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

/** The region for toasts, once per page. Screen readers need it to exist before its first message. */
export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text: message, tone }) => (
        <div key={id} class={`toast tone-${tone}`}>
          <span>{message}</span>
          <button
            type="button"
            class="button quiet small"
            aria-label={text("toast.dismiss")}
            onClick={() => dismiss(id)}
          >
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
