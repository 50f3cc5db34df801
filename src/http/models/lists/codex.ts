import { z } from "zod";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import { count, namedObject, text } from "../../values.ts";
import { CODEX_INSTRUCTIONS } from "./codex-instructions.ts";
import { inputKinds } from "./input-kinds.ts";

/**
 * A model as Codex reads it (`ModelInfo` in
 * https://github.com/openai/codex/blob/main/codex-rs/protocol/src/openai_models.rs). It refuses the whole list if a
 * field without a default is missing in one model.
 */
const CodexModel = namedObject("CodexModel", {
  slug: text,
  display_name: text,
  description: text.nullable(),
  /** The context length, if agents report it. Codex shortens the conversation in time. */
  context_window: count.optional(),
  /** The kinds of input. Codex believes in `image` too if nothing is known. */
  input_modalities: z.array(text).optional(),
  default_reasoning_level: text.optional(),
  supported_reasoning_levels: z.array(namedObject("CodexEffort", { effort: text, description: text })),
  /** Codex takes nothing else for its first instructions. */
  base_instructions: text,
  shell_type: z.literal("shell_command"),
  visibility: z.literal("list"),
  supported_in_api: z.literal(true),
  priority: count,
  support_verbosity: z.literal(false),
  supports_parallel_tool_calls: z.literal(true),
  supports_reasoning_summaries: z.literal(false),
  truncation_policy: namedObject("CodexTruncation", { mode: z.literal("bytes"), limit: count }),
  experimental_supported_tools: z.array(text),
  availability_nux: z.null(),
  upgrade: z.null(),
  default_verbosity: z.null(),
  apply_patch_tool_type: z.null(),
});

export const CodexModelList = namedObject("CodexModelList", { models: z.array(CodexModel) });

/** Codex tells its version by this parameter of the query, and no other client has it. */
export const CODEX_QUERY = "client_version";

/** Codex itself knows the models of OpenAI better than an agent could report them. */
const OPENAI_OWNERS: ReadonlySet<string | undefined> = new Set(["openai", "openai-internal", "system"]);

/** The bytes of a command's output that the model gets, as Codex has it for a model that it does not know. */
const OUTPUT_BYTES = 10_000;

const EFFORTS = [
  { effort: "low", description: "Thinks little" },
  { effort: "medium", description: "Thinks as much as most tasks need" },
  { effort: "high", description: "Thinks for long" },
];

/** Returns the models for Codex, without those of OpenAI. */
export function codexModels(models: readonly OfferedModel[]) {
  return models.filter(({ owned_by }) => !OPENAI_OWNERS.has(owned_by)).map(codexModel);
}

/** Codex offers the models in the order of their priorities, the lowest first. */
function codexModel(model: OfferedModel, priority: number) {
  const { id, context_length, capabilities } = model;
  const kinds = inputKinds(model)?.filter((kind) => kind === "text" || kind === "image");
  const reasons = capabilities?.includes("thinking") ?? false;
  return {
    slug: id,
    display_name: id,
    description: null,
    ...(context_length !== undefined && { context_window: context_length }),
    ...(kinds && { input_modalities: kinds }),
    ...(reasons && { default_reasoning_level: "medium" }),
    supported_reasoning_levels: reasons ? EFFORTS : [],
    base_instructions: CODEX_INSTRUCTIONS,
    shell_type: "shell_command" as const,
    visibility: "list" as const,
    supported_in_api: true as const,
    priority,
    support_verbosity: false as const,
    supports_parallel_tool_calls: true as const,
    supports_reasoning_summaries: false as const,
    truncation_policy: { mode: "bytes" as const, limit: OUTPUT_BYTES },
    experimental_supported_tools: [],
    ...{ availability_nux: null, upgrade: null, default_verbosity: null, apply_patch_tool_type: null },
  };
}
