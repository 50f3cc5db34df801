export interface StreamedEvent {
  data: string;
  event?: string;
}

/** Parses a whole stream by the rules of the HTML standard. An event without its blank line is dropped. */
export function eventsOf(stream: string): StreamedEvent[] {
  const events: StreamedEvent[] = [];
  let data: string[] = [];
  let name = "";
  for (const line of stream.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/)) {
    const [, field, value = ""] = line.match(/^([^:]*)(?:: ?(.*))?$/s) ?? [];
    if (line === "") {
      if (data.length > 0) events.push({ data: data.join("\n"), ...(name && { event: name }) });
      data = [];
      name = "";
    } else if (field === "data") data.push(value);
    else if (field === "event") name = value;
  }
  return events;
}

/** Returns the content of all `chat.completion.chunk` events, joined. */
export function chatTextOf(events: readonly StreamedEvent[]): string {
  return events
    .filter((event) => event.data !== "[DONE]")
    .map((event) => JSON.parse(event.data).choices[0]?.delta.content ?? "")
    .join("");
}
