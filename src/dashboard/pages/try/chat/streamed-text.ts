/** A text that only grows. Subscribers are notified of each addition without receiving the whole text. */
export interface StreamedText {
  readonly text: string;
  append(text: string): void;
  /** Calls `listen` after each addition. Returns a function that ends the subscription. */
  subscribe(listen: () => void): () => void;
}

export function createStreamedText(): StreamedText {
  let text = "";
  const listeners = new Set<() => void>();
  return {
    get text() {
      return text;
    },
    append(more) {
      if (more === "") return;
      text += more;
      for (const listen of [...listeners]) listen();
    },
    subscribe(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
}

/**
 * Cuts a text after line ends into parts of about `partLength`, so that an addition to a long text makes the
 * browser lay out only the last part. `room` is the length that the previous part still takes; the first
 * returned part belongs to it. Lines are never cut, however long they are.
 */
export function cutAtLines(text: string, room: number, partLength: number): string[] {
  const parts: string[] = [];
  let from = 0;
  let wanted = Math.max(0, room);
  for (;;) {
    const end = text.indexOf("\n", from + wanted);
    if (end < 0) return [...parts, text.slice(from)];
    parts.push(text.slice(from, end + 1));
    from = end + 1;
    wanted = partLength;
  }
}
