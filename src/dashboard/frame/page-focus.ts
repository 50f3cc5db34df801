let isWanted = false;

/** Moves the focus to the title of the page, now or, if the page is still being loaded, once it is there. */
export function focusTitle(): void {
  isWanted = !focus();
}

/** Must be called when a page has been loaded. */
export function titleShown(): void {
  if (isWanted) isWanted = !focus();
}

function focus(): boolean {
  const title = document.getElementById("page-title");
  title?.focus({ preventScroll: true });
  return title !== null;
}
