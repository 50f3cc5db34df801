/** Reads server-sent events out of text that comes in pieces of any size. */
export interface EventReader {
  /** Gives the data of those events that are complete. */
  push(text: string): string[];
  /** The same of what nothing comes after any more: the blank line behind the last event may be missing. */
  end(): string[];
}

const LINE_END = /\r\n|\n|\r/g;

/** As https://html.spec.whatwg.org/multipage/server-sent-events.html has it; names and ids of events are left out. */
export function createEventReader(): EventReader {
  let line = "";
  let data: string[] = [];
  let isAfterReturn = false;

  function take(events: string[]): void {
    if (line === "") {
      if (data.length > 0) events.push(data.join("\n"));
      data = [];
    } else if (line === "data") data.push("");
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    line = "";
  }

  return {
    push(text) {
      if (text === "") return [];
      const events: string[] = [];
      // The line feed of a pair that was cut in two ends no second line.
      let from = isAfterReturn && text.startsWith("\n") ? 1 : 0;
      for (const { 0: end, index } of text.matchAll(LINE_END)) {
        if (index < from) continue;
        line += text.slice(from, index);
        from = index + end.length;
        take(events);
      }
      line += text.slice(from);
      isAfterReturn = text.endsWith("\r");
      return events;
    },
    end() {
      const events: string[] = [];
      if (line !== "") take(events);
      take(events);
      return events;
    },
  };
}
