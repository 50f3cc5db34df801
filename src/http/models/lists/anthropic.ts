import { z } from "zod";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import { count, namedObject, text, time } from "../../values.ts";
import { inputKinds } from "./input-kinds.ts";

const Support = namedObject("AnthropicSupport", { supported: z.boolean() });
const supported = z.boolean();

/** Anthropic's clients expect every key: https://platform.claude.com/docs/en/api/models-list. */
const Capabilities = namedObject("AnthropicCapabilities", {
  ...{ batch: Support, citations: Support, code_execution: Support },
  context_management: namedObject("AnthropicContextManagement", {
    supported,
    ...{ clear_thinking_20251015: z.null(), clear_tool_uses_20250919: z.null(), compact_20260112: z.null() },
  }),
  effort: namedObject("AnthropicEffort", {
    supported,
    ...{ low: Support, medium: Support, high: Support, xhigh: Support, max: Support },
  }),
  ...{ image_input: Support, pdf_input: Support },
  server_tools: namedObject("AnthropicServerTools", {
    supported,
    ...{ code_execution: Support, web_search: Support },
  }),
  structured_outputs: Support,
  thinking: namedObject("AnthropicThinking", {
    supported,
    types: namedObject("AnthropicThinkingTypes", {
      ...{ adaptive: Support, between_tools: Support, disabled: Support, enabled: Support },
    }),
  }),
});

/** A model in the shape of https://platform.claude.com/docs/en/api/models-list. */
export const AnthropicModel = namedObject("AnthropicModel", {
  type: z.literal("model"),
  id: text,
  display_name: text,
  created_at: time,
  /** The context length, if agents report it. */
  max_input_tokens: count.nullable(),
  max_tokens: z.null(),
  /** The kinds of input among them; null if no agent tells what the model can do. */
  capabilities: Capabilities.nullable(),
  lifecycle: z.literal("active"),
  line: z.null(),
  deprecated_at: z.null(),
  retires_at: z.null(),
});
export const AnthropicModelList = namedObject("AnthropicModelList", {
  data: z.array(AnthropicModel),
  has_more: z.literal(false),
  first_id: text.nullable(),
  last_id: text.nullable(),
});

/** Returns the list, which has all models. */
export function anthropicModels(models: readonly OfferedModel[]) {
  const [first_id = null, last_id = null] = [models[0]?.id, models.at(-1)?.id];
  return { data: models.map(anthropicModel), has_more: false as const, first_id, last_id };
}

/** The display name is the id, because agents report no other name. What agents do not report is null. */
export function anthropicModel(model: OfferedModel) {
  const { id, offeredAt, context_length } = model;
  return {
    type: "model" as const,
    id,
    display_name: id,
    created_at: new Date(offeredAt).toISOString(),
    max_input_tokens: context_length ?? null,
    capabilities: capabilitiesOf(model),
    lifecycle: "active" as const,
    ...{ max_tokens: null, line: null, deprecated_at: null, retires_at: null },
  };
}

const [YES, NO] = [{ supported: true }, { supported: false }];

/** Returns what the model can do through this server, which runs no tools and has neither batches nor citations. */
function capabilitiesOf(model: OfferedModel) {
  const kinds = inputKinds(model);
  if (!kinds) return null;
  const chats = model.capabilities?.includes("completion") ? YES : NO;
  const thinks = model.capabilities?.includes("thinking") ? YES : NO;
  return {
    ...{ batch: NO, citations: NO, code_execution: NO },
    context_management: {
      ...NO,
      ...{ clear_thinking_20251015: null, clear_tool_uses_20250919: null, compact_20260112: null },
    },
    effort: { ...thinks, low: thinks, medium: thinks, high: thinks, xhigh: thinks, max: thinks },
    image_input: kinds.includes("image") ? YES : NO,
    pdf_input: NO,
    server_tools: { ...NO, code_execution: NO, web_search: NO },
    structured_outputs: chats,
    thinking: {
      ...thinks,
      types: { adaptive: thinks, between_tools: NO, disabled: YES, enabled: thinks },
    },
  };
}
