import type { Child } from "hono/jsx/dom";

/** Where a wide table scrolls by itself, by touch and by keyboard, and the page around it does not. */
export function ScrollArea({ label, children }: { label: string; children?: Child }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: the element with this role is for the fields of forms.
    <div class="table-scroll" tabindex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
