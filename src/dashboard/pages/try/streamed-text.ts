/** A text that only grows; those who watch it are told what was added, not the whole of it. */
export interface StreamedText {
  readonly text: string;
  append(text: string): void;
  /** Calls back after each addition; gives what ends it. */
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
 * Cuts a text behind line ends into parts of about `partLength` each, so that what is added to a long one has the
 * browser set the last part only. `room` is what the part before still takes. The first of what it gives belongs to that
 * part; a line is never cut, however long it is.
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
