import type { Child } from "hono/jsx/dom";
import { isThere } from "./is-there.ts";

/** A page's one `<h1>`, with what can be done on the page to its right. */
export function PageHead({ title, lead, children }: { title: string; lead?: Child; children?: Child }) {
  return (
    <header class="page-head">
      <div>
        <h1 id="page-title" tabindex={-1}>
          {title}
        </h1>
        {isThere(lead) ? <p class="muted">{lead}</p> : null}
      </div>
      {isThere(children) ? <div class="actions">{children}</div> : null}
    </header>
  );
}
