import { AppError } from "../../errors.ts";
import { userIdOf } from "../../principal.ts";
import { openaiStyle } from "../errors/openai.ts";
import { ok, resource, route } from "../route.ts";
import type { Conversations } from "./conversations.ts";
import { pageOf, withIncluded, withStatus } from "./item-page.ts";
import {
  AddItemsBody,
  ChangeConversationBody,
  Conversation,
  CreateConversationBody,
  Deleted,
  INCLUDABLE,
  Item,
  ItemList,
  ItemQuery,
  ItemsQuery,
} from "./schema.ts";
import type { KeptConversation } from "./stored-text.ts";

export interface ConversationDeps {
  conversations: Conversations;
  /** Whether anything is kept. */
  isOn: boolean;
}

const ID = { id: "The id of a conversation." };
const COMMON = { access: "caller", limits: "show", style: openaiStyle } as const;
const ERRORS = ["conversation_unknown", "database_away"] as const;
const EXAMPLE = { id: "conv_1", object: "conversation" as const, created_at: 1763885414, metadata: {} };
const ITEM = { id: "msg_1", type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] };
const LIST = {
  ...{ object: "list" as const, data: [ITEM], first_id: "msg_1", last_id: "msg_1", has_more: false },
};
const GIVEN = { type: "message", role: "user", content: "Hello" };

const ROUTES = {
  createConversation: route("POST /v1/conversations", {
    ...COMMON,
    summary: "Create a conversation of OpenAI's Responses API",
    body: {
      schema: CreateConversationBody,
      example: { items: [GIVEN], metadata: {} },
      isRequired: false,
      error: "request_invalid",
    },
    answers: ok("The conversation.", Conversation, EXAMPLE),
    errors: ["conversation_full", "request_invalid", "database_away"],
  }),
  readConversation: route("GET /v1/conversations/:id", {
    ...COMMON,
    summary: "Read a conversation",
    params: ID,
    answers: ok("The conversation.", Conversation, EXAMPLE),
    errors: ERRORS,
  }),
  changeConversation: route("POST /v1/conversations/:id", {
    ...COMMON,
    summary: "Replace the metadata of a conversation",
    params: ID,
    body: { schema: ChangeConversationBody, example: { metadata: { topic: "x" } }, error: "request_invalid" },
    answers: ok("The conversation.", Conversation, EXAMPLE),
    errors: ERRORS,
  }),
  deleteConversation: route("DELETE /v1/conversations/:id", {
    ...COMMON,
    summary: "Delete a conversation with its items",
    params: ID,
    answers: ok("Deleted.", Deleted, { id: "conv_1", object: "conversation.deleted", deleted: true }),
    errors: ERRORS,
  }),
  listConversationItems: route("GET /v1/conversations/:id/items", {
    ...COMMON,
    summary: "List the items of a conversation",
    params: ID,
    query: ItemsQuery,
    answers: ok("The items.", ItemList, LIST),
    errors: ERRORS,
  }),
  addConversationItems: route("POST /v1/conversations/:id/items", {
    ...COMMON,
    summary: "Add items to a conversation",
    params: ID,
    body: { schema: AddItemsBody, example: { items: [GIVEN] }, error: "request_invalid" },
    answers: ok("The added items.", ItemList, LIST),
    errors: [...ERRORS, "conversation_full"],
  }),
  readConversationItem: route("GET /v1/conversations/:id/items/:item", {
    ...COMMON,
    summary: "Read an item of a conversation",
    params: { ...ID, item: "The id of an item." },
    query: ItemQuery,
    answers: ok("The item.", Item, ITEM),
    errors: [...ERRORS, "item_unknown"],
  }),
  deleteConversationItem: route("DELETE /v1/conversations/:id/items/:item", {
    ...COMMON,
    summary: "Delete an item of a conversation",
    params: { ...ID, item: "The id of an item." },
    answers: ok("The conversation.", Conversation, EXAMPLE),
    errors: [...ERRORS, "item_unknown"],
  }),
};

/** The conversations of the Responses API. Nobody gets those of another. */
export const openaiConversationRoutes = resource("Models", ROUTES).handledBy(
  ({ conversations, isOn }: ConversationDeps) => {
    const ownerOf = ({ principal }: { principal: Parameters<typeof userIdOf>[0] }) => userIdOf(principal);
    return {
      async createConversation({ caller, body: { items, metadata } }) {
        if (!isOn) throw off();
        const given = { items: items ?? [], metadata: metadata ?? {} };
        return describe(await conversations.create(ownerOf(caller), given));
      },
      async readConversation({ caller, params }) {
        return describe(await conversations.read(ownerOf(caller), params.id));
      },
      async changeConversation({ caller, params, body }) {
        return describe(await conversations.setMetadata(ownerOf(caller), params.id, body.metadata ?? {}));
      },
      async deleteConversation({ caller, params: { id } }) {
        await conversations.delete(ownerOf(caller), id);
        return { id, object: "conversation.deleted", deleted: true as const };
      },
      async listConversationItems({ caller, params, query }) {
        return pageOf((await conversations.read(ownerOf(caller), params.id)).items, query);
      },
      async addConversationItems({ caller, params, body }) {
        const added = await conversations.addItems(ownerOf(caller), params.id, body.items);
        return pageOf(added, { limit: added.length, order: "asc", include: [...INCLUDABLE] });
      },
      async readConversationItem({ caller, params, query }) {
        const { items } = await conversations.read(ownerOf(caller), params.id);
        const item = items.find(({ id }) => id === params.item);
        if (!item) throw new AppError("item_unknown");
        return withIncluded(withStatus(item), query.include);
      },
      async deleteConversationItem({ caller, params }) {
        return describe(await conversations.deleteItem(ownerOf(caller), params.id, params.item));
      },
    };
  },
);

const describe = ({ id, createdAt, metadata }: KeptConversation) => ({
  ...{ id, object: "conversation" as const, created_at: createdAt, metadata },
});

const off = (): AppError =>
  new AppError("request_invalid", { hint: "This server keeps no conversations (--response-memory)." });
