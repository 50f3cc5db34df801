import { entriesOf, setFields } from "../../../json/edit.ts";
import { field, parseJson } from "../../../json/parse.ts";
import type { Delta } from "../../../relay/types.ts";
import { isState } from "./events.ts";

/** The fields that follow from a caller's request. */
interface Meaning {
  /** Whether the caller gets a response that is kept, whatever its upstream does. */
  store: boolean;
  /** The references that the server has replaced by the items themselves. */
  references?: { previous_response_id: string | null; conversation?: { id: string } } | undefined;
}

/** Only a response that matches may have to be changed when the server has changed nothing in its request. */
const NOT_STORED = /"store"\s*:\s*false/;

/**
 * The fields of a native response that say what the caller's request means. The upstream does not know that the server
 * keeps responses, nor what a request referred to that the server has expanded.
 */
export class CallerFields {
  /** Whether the upstream does not keep the last response, although the caller's response says that it is kept. */
  isKeptHereOnly = false;

  constructor(private readonly meaning: Meaning) {}

  /** Returns the response for the caller. */
  inResponse(text: string): string {
    if (!this.#mayChange(text)) return text;
    const changes = this.#changesOf(parseJson(text));
    return changes ? setFields(text, changes) : text;
  }

  /** Returns the data of an event for the caller. One without the whole response is not read. */
  inEvent(event: Delta): string {
    const { data } = event;
    if (!isState(event) || !this.#mayChange(data)) return data;
    const changes = this.#changesOf(field(parseJson(data), "response"));
    // The last of duplicate keys counts.
    const place = changes && entriesOf(data).findLast(({ key }) => key === "response");
    if (!place) return data;
    const { valueFrom, valueTo } = place;
    return (
      data.slice(0, valueFrom) + setFields(data.slice(valueFrom, valueTo), changes) + data.slice(valueTo)
    );
  }

  #mayChange(text: string): boolean {
    const { references, store } = this.meaning;
    return references !== undefined || (store && NOT_STORED.test(text));
  }

  /** Returns the fields to set in a response; undefined if it is not one. */
  #changesOf(response: unknown): (object & Record<string, unknown>) | undefined {
    if (typeof response !== "object" || response === null || Array.isArray(response)) return undefined;
    const { store, references } = this.meaning;
    this.isKeptHereOnly = store && field(response, "store") !== true;
    return { ...references, store };
  }
}
