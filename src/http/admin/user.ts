import type { Audit } from "../../auth/audit.ts";
import { describeUser, type Users } from "../../auth/users.ts";
import { AppError } from "../../errors.ts";
import { attributesOf, fieldsOf } from "../../user-attributes.ts";
import type { HttpContext } from "../context.ts";
import { resource, route } from "../route.ts";
import { auditNote } from "./audit.ts";
import {
  ChangeUserBody,
  NoFields,
  RotatedToken,
  RotateTokenBody,
  USER_FIELDS_EXAMPLE,
  UserAnswer,
  UserDeleted,
} from "./schema.ts";

interface UserDeps {
  users: Users;
  audit: Audit;
}

export const USER_ID_EXAMPLE = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
export const TOKEN_EXAMPLE = "0b1f7c1a-5e7e-4a8e-8f5e-3d0f4b0c9d4e";
const USER_EXAMPLE = {
  user_id: USER_ID_EXAMPLE,
  created_at: "2026-11-23T08:10:14.924Z",
  disabled_at: null,
  ...USER_FIELDS_EXAMPLE,
};

const PARAMS = { id: "The user's id." };
const CHANGE_ERRORS = ["audit_failed", "user_unknown", "user_change_failed", "user_list_failed"] as const;
const NO_BODY = { schema: NoFields, example: {}, isRequired: false } as const;
const CHANGED = { description: "The changed user.", json: UserAnswer } as const;

const ROUTES = {
  readUser: route("GET /admin/users/:id", {
    access: "adminOrQuery",
    summary: "Read one user, without the token",
    params: PARAMS,
    answers: { 200: { description: "The user.", json: UserAnswer, example: USER_EXAMPLE } },
    errors: ["user_unknown", "user_list_failed"],
  }),
  changeUser: route("PATCH /admin/users/:id", {
    access: "adminOrBody",
    summary: "Change a user",
    description: "Missing fields stay as they are, null removes a value, and an unknown field is refused.",
    params: PARAMS,
    body: { schema: ChangeUserBody, example: { requests_per_minute: 200, tokens_per_day: null } },
    answers: {
      200: { ...CHANGED, example: { ...USER_EXAMPLE, requests_per_minute: 200, tokens_per_day: null } },
    },
    errors: CHANGE_ERRORS,
  }),
  disableUser: route("POST /admin/users/:id/disable", {
    access: "adminOrBody",
    summary: "Refuse a user's tokens from now on",
    description: "The user's running requests are ended.",
    params: PARAMS,
    body: NO_BODY,
    answers: { 200: { ...CHANGED, example: { ...USER_EXAMPLE, disabled_at: "2026-11-23T09:00:00.000Z" } } },
    errors: CHANGE_ERRORS,
  }),
  enableUser: route("POST /admin/users/:id/enable", {
    access: "adminOrBody",
    summary: "Accept a user's tokens again",
    params: PARAMS,
    body: NO_BODY,
    answers: { 200: { ...CHANGED, example: USER_EXAMPLE } },
    errors: CHANGE_ERRORS,
  }),
  rotateToken: route("POST /admin/users/:id/rotate", {
    access: "adminOrBody",
    summary: "Give a user a new token",
    params: PARAMS,
    body: { schema: RotateTokenBody, example: { grace_seconds: 3600 }, isRequired: false },
    answers: {
      200: {
        description: "The new token.",
        json: RotatedToken,
        example: { token: TOKEN_EXAMPLE, user_id: USER_ID_EXAMPLE },
      },
    },
    errors: CHANGE_ERRORS,
  }),
  deleteUser: route("DELETE /admin/users/:id", {
    access: "adminOrBody",
    summary: "Delete a user",
    description: "Also deletes their tokens and conversations. Their usage is kept.",
    params: PARAMS,
    body: NO_BODY,
    answers: { 200: { description: "Deleted.", json: UserDeleted, example: { message: "User deleted" } } },
    errors: ["audit_failed", "user_unknown", "user_delete_failed", "user_list_failed"],
  }),
};

/** The administration of one user. */
export const userRoutes = resource("Users", ROUTES).handledBy(({ users, audit }: UserDeps) => {
  const find = async (id: string) => {
    const user = await users.find(id);
    if (!user) throw new AppError("user_unknown");
    return user;
  };

  /** Makes an audited change of an existing user and returns the changed user. */
  const change = async (
    c: HttpContext,
    id: string,
    what: { action: string; detail?: Record<string, unknown>; run: () => Promise<boolean> },
  ) => {
    await find(id);
    const note = auditNote(c, what.action, id, what.detail ?? null);
    if (!(await audit.change(note, what.run))) throw new AppError("user_unknown");
    return describeUser(await find(id));
  };

  return {
    readUser: async ({ params: { id } }) => describeUser(await find(id)),

    async changeUser({ c, params: { id }, body }) {
      const changes = attributesOf(body);
      if (Object.keys(changes).length === 0) return describeUser(await find(id));
      const run = () => users.change(id, changes);
      return change(c, id, { action: "user.change", detail: fieldsOf(changes), run });
    },

    disableUser: ({ c, params: { id } }) =>
      change(c, id, { action: "user.disable", run: () => users.disable(id) }),

    enableUser: ({ c, params: { id } }) =>
      change(c, id, { action: "user.enable", run: () => users.enable(id) }),

    async rotateToken({ c, params, body }) {
      const { id } = await find(params.id);
      const grace_seconds = body.grace_seconds ?? 0;
      const note = auditNote(c, "user.rotate", id, { grace_seconds });
      const token = await audit.change(note, () => users.rotate(id, grace_seconds * 1000));
      if (token === false) throw new AppError("user_unknown");
      return { token, user_id: id };
    },

    async deleteUser({ c, params }) {
      const { id } = await find(params.id);
      await audit.change(auditNote(c, "user.delete", id), () => users.delete(id));
      return { message: "User deleted" };
    },
  };
});
