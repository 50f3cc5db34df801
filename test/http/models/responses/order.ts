import { expect } from "bun:test";
import type { ServerEvent } from "../../../../src/http/middleware/event-stream.ts";

// biome-ignore lint/suspicious/noExplicitAny: the events are looked into, and a wrong shape fails the test.
type Event = any;

const TERMINAL = ["response.completed", "response.incomplete", "response.failed"];

/**
 * Returns the final response. Fails unless the events are a whole answer in the order of the Responses API:
 * they are numbered from 0 without a gap, each item is begun, written and closed once, the deltas of each
 * text add up to the whole text that ends it, and the items of the final response are those that were closed.
 */
export function expectWholeAnswer(events: readonly ServerEvent[]): Event {
  const parsed: Event[] = events.map(({ data }) => JSON.parse(data));
  expect(parsed.map(({ type }) => type)).toEqual(events.map(({ event }) => event));
  expect(parsed.map((event) => event.sequence_number)).toEqual(parsed.map((_, index) => index));
  expect(parsed.slice(0, 2).map(({ type }) => type)).toEqual(["response.created", "response.in_progress"]);
  const last = parsed.at(-1);
  expect(parsed.filter(({ type }) => TERMINAL.includes(type))).toEqual([last]);
  for (const event of [parsed[0], parsed[1]]) {
    expect(event.response).toMatchObject({ id: last.response.id, status: "in_progress", output: [] });
  }

  const open = new Map<number, Event>();
  const closed: Event[] = [];
  const listen = createListener();
  for (const event of parsed.slice(2, -1)) {
    const { type, output_index: index } = event;
    if (type === "response.output_item.added") {
      expect(index).toBe(open.size + closed.filter(Boolean).length);
      expect(event.item.status).toBe("in_progress");
      open.set(index, event.item);
      continue;
    }
    const item = open.get(index);
    expect(item, `${type} of an item that is not open`).toBeDefined();
    if (type === "response.output_item.done") {
      expect([event.item.id, event.item.type]).toEqual([item.id, item.type]);
      expect(event.item.status).not.toBe("in_progress");
      listen(event);
      open.delete(index);
      closed[index] = event.item;
      continue;
    }
    expect(event.item_id).toBe(item.id);
    listen(event);
  }
  if (last.type !== "response.failed") expect([...open.keys()]).toEqual([]);
  if (last.type !== "response.failed") expect(last.response.output).toEqual(closed);
  return last.response;
}

/**
 * Fails unless the deltas of each text add up to the whole text that ends it, once, and the parts of an item
 * begin and end one after the other.
 */
function createListener() {
  /** The texts by item, part and kind of event. */
  const said = new Map<string, string>();
  const ended = new Set<string>();
  const parts = new Map<number, number>();
  return (event: Event) => {
    const what = event.type.replace(/\.(delta|done|added)$/, "");
    const part = event.content_index ?? event.summary_index;
    const key = `${event.output_index} ${part} ${what}`;
    if (what === "response.output_item" || event.type.endsWith("_part.added")) {
      expect(parts.get(event.output_index), `${event.type} before its part has ended`).toBeUndefined();
      parts.set(event.output_index, part);
      return;
    }
    expect(parts.get(event.output_index)).toBe(part);
    expect(ended.has(key)).toBe(false);
    if (what.endsWith("_part")) parts.delete(event.output_index);
    else if (event.type.endsWith(".delta")) {
      expect(event.delta).not.toBe("");
      said.set(key, (said.get(key) ?? "") + event.delta);
    } else {
      ended.add(key);
      expect(said.get(key) ?? "").toBe(event.text ?? event.refusal ?? event.arguments ?? event.input);
    }
  };
}

/** Returns the response without the ids and times, which differ between two equal answers. */
export function withoutIds(response: Event): Event {
  const { id: _, completed_at: __, output, ...rest } = response;
  return { ...rest, output: output.map(({ id: ___, ...item }: Event) => item) };
}
