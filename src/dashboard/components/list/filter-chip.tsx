import { printable } from "../../../printable.ts";
import { text } from "../../texts/texts.ts";

interface FilterChipProps {
  /** The name of the filter. */
  filter: string;
  /** The chosen value, as people know it. Others chose it. */
  value: string;
  /** The same page without this filter. */
  href: string;
}

/** A filter that is in force, as a link that removes it. */
export function FilterChip({ filter, value, href }: FilterChipProps) {
  const shown = printable(value);
  return (
    <a class="chip" href={href} title={shown}>
      <span class="name" dir="auto">
        {filter}: <b>{shown}</b>
      </span>
      <span aria-hidden="true">✕</span>
      <span class="off-screen">{text("chip.remove")}</span>
    </a>
  );
}
