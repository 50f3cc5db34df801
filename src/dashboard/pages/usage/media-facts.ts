import type { UsageEntry } from "../../api/types.ts";
import { formatBytes, formatDuration, formatWhole } from "../../format.ts";
import { type TextKey, text } from "../../texts/texts.ts";

type MediaName = "audio_seconds" | "images" | "search_units" | "input_bytes" | "output_bytes";
type MediaUsage = Readonly<Record<MediaName, number | null>>;

export interface MediaFact {
  name: MediaName;
  label: string;
  show: (value: number) => string;
}

const fact = (name: MediaName, key: TextKey, show: MediaFact["show"]): MediaFact => ({
  name,
  label: text(key),
  show,
});

/** The work besides the tokens: that of audio, images and rankings. */
const FACTS: readonly MediaFact[] = [
  fact("audio_seconds", "media-usage.audio", (seconds) => formatDuration(seconds * 1000)),
  fact("images", "media-usage.images", formatWhole),
  fact("search_units", "media-usage.search-units", formatWhole),
  fact("input_bytes", "media-usage.received", formatBytes),
  fact("output_bytes", "media-usage.sent", formatBytes),
];

/** Returns those that are not zero in a usage. */
export function mediaFactsOf(usage: MediaUsage | Pick<UsageEntry, MediaName>): MediaFact[] {
  return FACTS.filter(({ name }) => (usage[name] ?? 0) > 0);
}
