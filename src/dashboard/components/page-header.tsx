import type { Child } from "hono/jsx/dom";
import { hasContent } from "./has-content.ts";

/** The page's only `<h1>`, with the page's actions to its right. */
export function PageHeader({ title, lead, children }: { title: string; lead?: Child; children?: Child }) {
  return (
    <header class="page-head">
      <div>
        <h1 id="page-title" tabindex={-1}>
          {title}
        </h1>
        {hasContent(lead) ? <p class="muted">{lead}</p> : null}
      </div>
      {hasContent(children) ? <div class="actions">{children}</div> : null}
    </header>
  );
}
