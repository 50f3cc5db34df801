/** In pixels. */
const GAP = 4;
const WIDTH = 420;
const HEIGHT = 340;
/** With less room below the field, the list is above it if there is more. */
const HEIGHT_MIN = 200;

/** Shows a list beside its field and keeps it there while the page scrolls. Returns a function that ends that. */
export function placeList(field: HTMLElement, list: HTMLElement): () => void {
  list.showPopover?.();
  const place = () => {
    const { left, top, bottom, width } = field.getBoundingClientRect();
    const [above, below] = [top - 2 * GAP, innerHeight - bottom - 2 * GAP];
    const isAbove = below < HEIGHT_MIN && above > below;
    const listWidth = Math.max(width, Math.min(WIDTH, innerWidth - 2 * GAP));
    const { style } = list;
    style.width = `${listWidth}px`;
    style.maxHeight = `${Math.min(HEIGHT, isAbove ? above : below)}px`;
    style.left = `${Math.max(GAP, Math.min(left, innerWidth - listWidth - GAP))}px`;
    style.top = isAbove ? "auto" : `${bottom + GAP}px`;
    style.bottom = isAbove ? `${innerHeight - top + GAP}px` : "auto";
  };
  place();
  const stop = new AbortController();
  addEventListener("scroll", place, { capture: true, passive: true, signal: stop.signal });
  addEventListener("resize", place, { signal: stop.signal });
  return () => stop.abort();
}
