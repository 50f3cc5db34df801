import type { Child } from "hono/jsx/dom";

/** Whether rendering the child shows anything. */
export function hasContent(child: Child): boolean {
  return child !== undefined && child !== null && child !== false && child !== "";
}
