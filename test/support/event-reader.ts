import { createParser } from "eventsource-parser";

/** An event of a stream, as a client gets it. */
export interface ReadEvent {
  event: string;
  data: string;
}

/** Returns the number of an event of the Responses API. */
export const sequenceOf = ({ data }: ReadEvent): number => JSON.parse(data).sequence_number;

/**
 * Reads events until the stream ends, or until there are `count`. Then the connection is cut with `cut`. Resolves with
 * the events that were whole.
 */
export async function readEvents(
  response: Response,
  count = Number.POSITIVE_INFINITY,
  cut: () => void = () => {},
): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  const parser = createParser({
    onEvent: ({ event = "", data }) => {
      if (events.length < count) events.push({ event, data });
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (events.length >= count) break;
    }
  } finally {
    cut();
  }
  return events;
}

/** Returns the events with their random ids numbered, and without times: two streams of one answer are then equal. */
export function withoutChance(events: readonly ReadEvent[]): string[] {
  const ids = new Map<string, string>();
  return events.map(({ event, data }) => {
    const text = data
      .replace(/\b[a-z]+_[0-9a-f-]{32,36}\b/g, (id) => {
        if (!ids.has(id)) ids.set(id, `id${ids.size}`);
        return ids.get(id) ?? id;
      })
      .replace(/"(created|completed)_at":\d+/g, '"$1_at":0');
    return `${event} ${text}`;
  });
}
