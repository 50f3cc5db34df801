import { z } from "zod";
import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { type Principal, userIdOf } from "../../../principal.ts";
import { KeptTexts } from "./kept-texts.ts";
import { Typed } from "./schema.ts";

/** An answer that its caller may refer to. */
interface KeptResponse {
  id: string;
  /** The response that it continues. */
  previous: string | undefined;
  /** The items of its request, without those of the response that it continues. */
  input: readonly Typed[];
  output: readonly { id: string }[];
}

/**
 * The translated responses that one caller has received lately, for one request. One that refers to more than a
 * body may hold gets `body_too_large`: a short body could name a long answer a thousand times.
 */
export interface OwnResponses {
  /** Returns an item of an answer; undefined if it is not known. */
  item(id: string): Typed | undefined;
  /** Returns all items up to the end of a response; undefined if one of them is not known. */
  conversation(responseId: string): Typed[] | undefined;
  keep(response: KeptResponse): void;
}

/** How long an answer is kept after it was last referred to. */
export const RESPONSE_AGE_MS = 6 * 3_600_000;
const CHAIN_LENGTH_MAX = 1000;

const Stored = z.object({ previous: z.string().optional(), items: z.array(Typed) });

interface ResponseMemoryOptions {
  bytesMax: number;
  /** The most characters to which one request may refer. */
  recalledLengthMax: number;
  now: () => number;
}

export type ResponseMemory = ReturnType<typeof createResponseMemory>;

/**
 * Keeps translated responses in memory for a while, as the upstream keeps none: the AI SDK refers to the items of
 * earlier answers by their ids, and agents to whole responses by `previous_response_id`. Nothing is written, so a
 * restart forgets them. With 0 bytes nothing is kept.
 */
export function createResponseMemory({ bytesMax, recalledLengthMax, now }: ResponseMemoryOptions) {
  // Items and responses are apart: the inputs of one long conversation must not displace the items of its answers.
  const options = { bytesMax: bytesMax / 2, ageMs: RESPONSE_AGE_MS, now };
  const items = new KeptTexts(options);
  const responses = new KeptTexts(options);

  return {
    /** Returns the responses of the caller for one request, if any are kept. */
    of(principal: Principal): OwnResponses | undefined {
      if (bytesMax === 0) return undefined;
      const owner = userIdOf(principal);
      let lengthLeft = recalledLengthMax;
      const recall = (texts: KeptTexts, id: string) => {
        const text = texts.get(owner, id);
        lengthLeft -= text?.length ?? 0;
        if (lengthLeft < 0) throw tooLarge(recalledLengthMax);
        return text;
      };
      return {
        item(id) {
          const text = recall(items, id);
          return text === undefined ? undefined : Typed.safeParse(parseJson(text)).data;
        },

        conversation(responseId) {
          const parts: Typed[][] = [];
          let id: string | undefined = responseId;
          while (id !== undefined) {
            const text = recall(responses, id);
            const stored = text === undefined ? undefined : Stored.safeParse(parseJson(text)).data;
            if (!stored || parts.length === CHAIN_LENGTH_MAX) return undefined;
            parts.push(stored.items);
            id = stored.previous;
          }
          return parts.reverse().flat();
        },

        keep({ id, previous, input, output }) {
          for (const item of output) items.set(owner, item.id, JSON.stringify(item));
          responses.set(owner, id, JSON.stringify({ previous, items: [...input, ...output] }));
        },
      };
    },

    /** Forgets the responses of a user. */
    forget(userId: string): void {
      items.forget(userId);
      responses.forget(userId);
    },
  };
}

function tooLarge(lengthMax: number): AppError {
  const hint = `The earlier answers that it refers to have more than ${lengthMax} characters. Refer to each of them once, or begin a new conversation.`;
  return new AppError("body_too_large", { hint });
}
