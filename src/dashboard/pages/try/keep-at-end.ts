const NEAR_PX = 48;

/** Scrolls the conversation around `box` to its end after `change`, unless the reader has scrolled up. */
export function keepAtEnd(box: HTMLElement, change: () => void): void {
  const scroller = box.closest(".conversation");
  const isAtEnd = scroller
    ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX
    : false;
  change();
  if (scroller && isAtEnd) scroller.scrollTop = scroller.scrollHeight;
}
