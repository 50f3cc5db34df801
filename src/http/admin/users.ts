import type { Audit, AuditNote } from "../../auth/audit.ts";
import { describeUser, type KnownUser, nameDetail, type Users } from "../../auth/users.ts";
import { AppError } from "../../errors.ts";
import { attributesOf, fieldsOf, withoutNulls } from "../../user-attributes.ts";
import type { Exchange } from "../exchange.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { auditNote } from "./audit.ts";
import {
  AddedUser,
  AddUserBody,
  ChangeUserBody,
  DeleteUserBody,
  NO_FIELDS,
  RotatedToken,
  RotateTokenBody,
  USER_FIELDS_EXAMPLE,
  UserAnswer,
  UserDeleted,
  UserList,
  UserListQuery,
} from "./schema.ts";

interface UserDeps {
  users: Users;
  audit: Audit;
  newId: () => string;
}

const TOKEN_EXAMPLE = { token: SAMPLE.token, user_id: SAMPLE.userId };
const USER_EXAMPLE = {
  user_id: SAMPLE.userId,
  created_at: SAMPLE.time,
  disabled_at: null,
  ...USER_FIELDS_EXAMPLE,
};
const CHANGES = { requests_per_minute: 200, tokens_per_day: null };
const DISABLED_AT = "2026-11-23T09:00:00.000Z";
const DELETED = ok("Deleted.", UserDeleted, { message: "User deleted" });

const PARAMS = { id: "The user's id." };
const CHANGE_ERRORS = ["audit_failed", "user_unknown", "user_change_failed", "user_list_failed"] as const;

const ROUTES = {
  addUser: route("POST /admin/users/add", {
    access: "adminOrBody",
    summary: "Add a user and create their token",
    description: "Unknown fields are ignored, and null is the same as missing.",
    body: { schema: AddUserBody, example: USER_FIELDS_EXAMPLE, isRequired: false },
    answers: ok("The token and the id, and the attributes that were given.", AddedUser, {
      ...TOKEN_EXAMPLE,
      ...USER_FIELDS_EXAMPLE,
    }),
    errors: ["audit_failed", "user_insert_failed"],
  }),
  deleteUserAsReference: route("POST /admin/users/delete", {
    access: "adminOrBody",
    summary: "Delete a user, as the reference server does",
    description: "The answer is the same when there is no such user.",
    body: { schema: DeleteUserBody, example: { user_id: SAMPLE.userId }, isRequired: false },
    answers: DELETED,
    errors: ["audit_failed", "user_delete_failed"],
  }),
  listUsers: route("GET /admin/users", {
    access: "adminOrQuery",
    summary: "List all users with their tokens",
    description:
      "In the order they were added. A token is empty if the key file that it is encrypted with was lost; the token itself still works for its owner.",
    query: UserListQuery,
    answers: ok("The users.", UserList, { users: [TOKEN_EXAMPLE] }),
    errors: ["user_list_failed"],
  }),
  readUser: route("GET /admin/users/:id", {
    access: "adminOrQuery",
    summary: "Read one user, without the token",
    params: PARAMS,
    answers: ok("The user.", UserAnswer, USER_EXAMPLE),
    errors: ["user_unknown", "user_list_failed"],
  }),
  changeUser: route("PATCH /admin/users/:id", {
    access: "adminOrBody",
    summary: "Change a user",
    description: "Missing fields stay as they are, null removes a value, and an unknown field is refused.",
    params: PARAMS,
    body: { schema: ChangeUserBody, example: CHANGES },
    answers: ok("The changed user.", UserAnswer, { ...USER_EXAMPLE, ...CHANGES }),
    errors: CHANGE_ERRORS,
  }),
  disableUser: route("POST /admin/users/:id/disable", {
    access: "adminOrBody",
    summary: "Refuse a user's tokens from now on",
    description: "The user's running requests are ended.",
    params: PARAMS,
    body: NO_FIELDS,
    answers: ok("The changed user.", UserAnswer, { ...USER_EXAMPLE, disabled_at: DISABLED_AT }),
    errors: CHANGE_ERRORS,
  }),
  enableUser: route("POST /admin/users/:id/enable", {
    access: "adminOrBody",
    summary: "Accept a user's tokens again",
    params: PARAMS,
    body: NO_FIELDS,
    answers: ok("The changed user.", UserAnswer, USER_EXAMPLE),
    errors: CHANGE_ERRORS,
  }),
  rotateToken: route("POST /admin/users/:id/rotate", {
    access: "adminOrBody",
    summary: "Give a user a new token",
    params: PARAMS,
    body: { schema: RotateTokenBody, example: { grace_seconds: 3600 }, isRequired: false },
    answers: ok("The new token.", RotatedToken, TOKEN_EXAMPLE),
    errors: CHANGE_ERRORS,
  }),
  deleteUser: route("DELETE /admin/users/:id", {
    access: "adminOrBody",
    summary: "Delete a user",
    description: "Also deletes their tokens and conversations. Their usage is kept.",
    params: PARAMS,
    body: NO_FIELDS,
    answers: DELETED,
    errors: ["audit_failed", "user_unknown", "user_delete_failed", "user_list_failed"],
  }),
};

/** The users, their tokens and their limits. */
export const userRoutes = resource("Users", ROUTES).handledBy((deps: UserDeps) => {
  const { users, audit, newId } = deps;
  const find = (id: string) => findUser(users, id);
  const deleteAudited = (id: string, detail: { name: string } | null, exchange: Exchange) =>
    audit.change(auditNote(exchange, "user.delete", id, detail), () => users.delete(id));
  return {
    async addUser({ exchange, body }) {
      const attributes = attributesOf(withoutNulls(body));
      const given = fieldsOf(attributes);
      const id = newId();
      const note = auditNote(exchange, "user.add", id, given);
      const { token } = await audit.change(note, () => users.add(attributes, id));
      return { token, user_id: id, ...given };
    },

    async deleteUserAsReference({ exchange, body: { user_id } }) {
      // If the store fails, the reference's error of the deletion is the one to tell.
      const user = user_id && (await users.find(user_id).catch(() => undefined));
      if (user_id) await deleteAudited(user_id, user ? nameDetail(user) : null, exchange);
      return { message: "User deleted" };
    },

    async listUsers({ query: { details, tokens } }) {
      const describe = (user: KnownUser) => (details === "true" ? describeUser(user) : {});
      if (tokens === "false") {
        const known = await users.listWithoutTokens();
        return { users: known.map((user) => ({ user_id: user.id, ...describe(user) })) };
      }
      const listed = await users.list();
      return { users: listed.map((user) => ({ user_id: user.id, token: user.token, ...describe(user) })) };
    },

    readUser: async ({ params: { id } }) => describeUser(await find(id)),

    async changeUser({ exchange, params: { id }, body }) {
      const changes = attributesOf(body);
      const user = await find(id);
      if (Object.keys(changes).length === 0) return describeUser(user);
      const note = auditNote(exchange, "user.change", id, fieldsOf(changes));
      return changeUser(deps, id, note, () => users.change(id, changes));
    },

    async disableUser({ exchange, params: { id } }) {
      const note = auditNote(exchange, "user.disable", id, nameDetail(await find(id)));
      return changeUser(deps, id, note, () => users.disable(id));
    },

    async enableUser({ exchange, params: { id } }) {
      const note = auditNote(exchange, "user.enable", id, nameDetail(await find(id)));
      return changeUser(deps, id, note, () => users.enable(id));
    },

    async rotateToken({ exchange, params, body }) {
      const user = await find(params.id);
      const { id } = user;
      const grace_seconds = body.grace_seconds ?? 0;
      const note = auditNote(exchange, "user.rotate", id, { ...nameDetail(user), grace_seconds });
      const token = await audit.change(note, () => users.rotate(id, grace_seconds * 1000));
      if (token === false) throw new AppError("user_unknown");
      return { token, user_id: id };
    },

    async deleteUser({ exchange, params }) {
      const user = await find(params.id);
      await deleteAudited(user.id, nameDetail(user), exchange);
      return { message: "User deleted" };
    },
  };
});

async function findUser(users: Users, id: string) {
  const user = await users.find(id);
  if (!user) throw new AppError("user_unknown");
  return user;
}

/** Makes an audited change of an existing user and returns the changed user. */
async function changeUser(
  { users, audit }: UserDeps,
  id: string,
  note: AuditNote,
  run: () => Promise<boolean>,
) {
  if (!(await audit.change(note, run))) throw new AppError("user_unknown");
  return describeUser(await findUser(users, id));
}
