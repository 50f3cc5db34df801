import { AppError } from "../../../errors.ts";
import { readShape, refuse } from "../refuse.ts";
import { CHAIN_LENGTH_MAX, type OwnResponses, type WhyNot } from "./memory.ts";
import { isReference } from "./reference.ts";
import { InputItem, type ResponsesBody, type Typed } from "./schema.ts";

/** The input of a request with everything that it refers to. */
export interface RecalledInput {
  /** The items of the responses that the request continues. */
  earlier: readonly Typed[];
  /** The items of the request itself. */
  own: readonly Typed[];
}

const FULL_INPUT = "Send the whole conversation in `input`, with `store: false`.";
export const NOT_KEPT = `This server keeps answers for a limited time. ${FULL_INPUT}`;

const UNKNOWN_CONVERSATION =
  "The conversation is not known. Create one at `/v1/conversations`, or send the whole conversation in `input`.";

/**
 * Returns the input with known references replaced by the items themselves, and with the items of the response
 * that it continues. Throws `request_untranslatable` if that response is not known.
 */
export function recallInput(body: ResponsesBody, responses: OwnResponses | undefined): RecalledInput {
  const { input, previous_response_id: previous, conversation } = body;
  const given = typeof input === "string" ? [{ type: "message", role: "user", content: input }] : input;
  const own = given.map((item, index) => {
    if (!isReference(item)) return item;
    const { id } = readShape(InputItem.item_reference, item, `input[${index}]`);
    return responses?.item(id)?.item ?? item;
  });
  const ofConversation = conversation == null ? [] : responses?.conversationItems;
  if (!ofConversation) throw refuse("conversation", UNKNOWN_CONVERSATION);
  const earlier = previous == null ? ofConversation : responses?.conversation(previous);
  if (earlier) return { earlier, own };
  throw notContinued(responses?.whyNot(previous ?? "") ?? "unknown");
}

const NOT_CONTINUED: Record<WhyNot, string> = {
  unknown: `the response is not known. ${NOT_KEPT}`,
  being_made: "the response has not ended yet. Wait until it has, or send the whole conversation in `input`.",
  failed: `the response, or one that it continues, has failed. ${FULL_INPUT}`,
  too_long: `the response continues more than ${CHAIN_LENGTH_MAX - 1} others. ${FULL_INPUT}`,
};

/** Returns the error of a request that continues a response which cannot be continued. */
export function notContinued(why: WhyNot): AppError {
  const param = "previous_response_id";
  // The code by which OpenAI's clients know that they must send everything.
  const upstream = { code: "previous_response_not_found" };
  const hint = `The problem is \`${param}\`: ${NOT_CONTINUED[why]}`;
  return new AppError("request_untranslatable", { param, hint, upstream });
}
