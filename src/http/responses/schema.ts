import { z } from "zod";
import { Typed } from "../models/responses/schema.ts";

const text = z.string();
const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 20;
const METADATA_MAX = 16;
const ITEMS_MAX = 20;
const ITEM_ID_LENGTH_MAX = 256;

/** The fields of items that may be long, or are for the model only. */
export const INCLUDABLE = [
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "file_search_call.results",
  "message.input_image.image_url",
  "message.output_text.logprobs",
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "web_search_call.results",
] as const;
export type Includable = (typeof INCLUDABLE)[number];

/** Query values are texts. */
const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(LIMIT_MAX)
  .default(LIMIT_DEFAULT)
  .describe("How many items, 20 by default.");

export const ReadResponseQuery = z.object({
  stream: z.enum(["true", "false"]).optional().describe("`true` reads the events of a streamed response."),
  starting_after: text
    .regex(/^\d{1,15}$/, "must be a whole number, at least 0")
    .transform(Number)
    .optional()
    .describe("The `sequence_number` of the last event that you have, for `stream`."),
});

const Includable = z.enum(INCLUDABLE);

/** One name, or a list of them. */
const include = z
  .union([Includable, z.array(Includable)])
  .optional()
  .describe("Fields that items have only if they are named, as `include[]=` for each.");

export const ItemQuery = z.object({ include });

export const ItemsQuery = z.object({
  include,
  limit,
  order: z.enum(["asc", "desc"]).default("desc").describe("`desc`, the default, lists the newest first."),
  after: text.optional().describe("The id of the last item of the page before."),
});
export type ItemsQuery = z.output<typeof ItemsQuery>;

const Metadata = z
  .record(text.max(64), text.max(512))
  .refine((fields) => Object.keys(fields).length <= METADATA_MAX, `may have ${METADATA_MAX} keys at most`);

const MessageItem = z.looseObject({
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.union([text, z.array(Typed)]),
});

/** An item that a later request can have in its input. */
const GivenItem = Typed.superRefine((item, context) => {
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message, input: item });
  if (item.type === "item_reference") refuse(["type"], "must not be a reference: send the item itself");
  if (item["id"] != null && (typeof item["id"] !== "string" || item["id"].length > ITEM_ID_LENGTH_MAX))
    refuse(["id"], "must be a short text");
  if ((item.type ?? "message") !== "message") return;
  for (const { path, message } of MessageItem.safeParse(item).error?.issues ?? []) refuse(path, message);
});

const Items = z.array(GivenItem).max(ITEMS_MAX);

export const CreateConversationBody = z.object({
  items: Items.nullish().describe("The first items, at most 20."),
  metadata: Metadata.nullish().describe("At most 16 texts by name."),
});

export const ChangeConversationBody = z.object({
  metadata: Metadata.nullish().describe("Replaces all metadata."),
});

export const AddItemsBody = z.object({ items: Items.min(1).describe("At most 20 items.") });

export const Conversation = z
  .object({
    id: text,
    object: z.literal("conversation"),
    created_at: z.number(),
    metadata: z.record(text, z.unknown()),
  })
  .meta({ id: "Conversation" });

export const ItemList = z
  .object({
    object: z.literal("list"),
    data: z.array(z.looseObject({ id: text.nullish(), type: text.nullish() })),
    first_id: text.nullable(),
    last_id: text.nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: "ItemList" });

export const Item = z.looseObject({ id: text.nullish(), type: text.nullish() }).meta({ id: "Item" });

export const Deleted = z.object({ id: text, object: text, deleted: z.literal(true) }).meta({ id: "Deleted" });
