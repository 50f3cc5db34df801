import { field, parseJson, textField } from "../../json/parse.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";

type Fields = Record<string, unknown>;

/**
 * Makes the events of a response in the background from those of its answer. The caller has its id before any agent has the
 * request, so the events get that id, and numbers of their own.
 */
export class BackgroundEvents {
  #number = 0;
  /** The response as it is now. */
  #response: Fields;

  /** `response` is the one that the caller got at once. */
  constructor(private readonly first: Fields) {
    this.#response = first;
  }

  get response(): Fields {
    return this.#response;
  }

  /** Returns the first events: the response waits for an agent. */
  begin(): ServerEvent[] {
    return ["response.created", "response.queued"].map((type) =>
      this.#event(type, { response: this.#response }),
    );
  }

  /** Returns the event of a response on which an agent works. */
  sent(): ServerEvent[] {
    return this.#changed("in_progress", {});
  }

  /** Returns an event of the answer as one of this response. */
  of({ event, data }: ServerEvent): ServerEvent[] {
    const value = parseJson(data);
    const type = textField(value, "type") ?? event;
    const response = field(value, "response");
    // The caller has these events already.
    if (type === "response.created" || type === "response.in_progress" || type === "response.queued")
      return [];
    if (typeof value !== "object" || value === null) return [];
    if (typeof response !== "object" || response === null) return [this.#event(type, value as Fields)];
    this.#response = this.#own(response as Fields);
    return [this.#event(type, { ...value, response: this.#response })];
  }

  /** Returns the last event of a response that ended without an answer. */
  ended(status: "cancelled" | "failed", error: { code: string; message: string } | null): ServerEvent[] {
    return this.#changed(status, { error });
  }

  #changed(status: string, fields: Fields): ServerEvent[] {
    this.#response = { ...this.#response, ...fields, status };
    return [this.#event(`response.${status}`, { response: this.#response })];
  }

  /** Returns a response of the answer with the fields that the caller knows already. */
  #own(response: Fields): Fields {
    const { id, created_at, previous_response_id, conversation } = this.first;
    return {
      ...{ ...response, id, created_at, background: true, store: true, previous_response_id },
      ...(conversation !== undefined && { conversation }),
    };
  }

  #event(type: string, fields: Fields): ServerEvent {
    const data = JSON.stringify({ ...fields, type, sequence_number: this.#number });
    this.#number++;
    return { event: type, data };
  }
}
