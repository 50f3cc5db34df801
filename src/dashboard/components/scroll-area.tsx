import type { Child } from "hono/jsx/dom";

/** Lets wide content scroll by touch and keyboard without scrolling the page around it. */
export function ScrollArea({ label, children }: { label: string; children?: Child }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: the element with this role is for form fields.
    <div class="table-scroll" tabindex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
