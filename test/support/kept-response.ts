import type { KeptResponse } from "../../src/http/models/responses/kept-response.ts";

/** Returns a response as it is kept. */
export function keptResponse(
  fields: Partial<KeptResponse> & Pick<KeptResponse, "id" | "answer">,
): KeptResponse {
  const { request = "{}", answer } = fields;
  return {
    ...{
      previous: undefined,
      input: undefined,
      agent: undefined,
      model: "m",
      isNative: false,
      at: 0,
      request,
    },
    ...fields,
    length: request.length + answer.length,
  };
}
