import type { Audit } from "../../auth/audit.ts";
import { describeUser, type Users } from "../../auth/users.ts";
import { attributesOf, fieldsOf, withoutNulls } from "../../user-attributes.ts";
import { resource, route } from "../route.ts";
import { auditNote } from "./audit.ts";
import {
  AddedUser,
  AddUserBody,
  DeleteUserBody,
  USER_FIELDS_EXAMPLE,
  UserDeleted,
  UserList,
  UserListQuery,
} from "./schema.ts";
import { TOKEN_EXAMPLE, USER_ID_EXAMPLE } from "./user.ts";

interface UsersDeps {
  users: Users;
  audit: Audit;
  newId: () => string;
}

const ROUTES = {
  addUser: route("POST /admin/users/add", {
    access: "adminOrBody",
    summary: "Add a user and create their token",
    description: "Unknown fields are ignored, and null is the same as missing.",
    body: { schema: AddUserBody, example: USER_FIELDS_EXAMPLE, isRequired: false },
    answers: {
      200: {
        description: "The token and the id, and the attributes that were given.",
        json: AddedUser,
        example: { token: TOKEN_EXAMPLE, user_id: USER_ID_EXAMPLE, ...USER_FIELDS_EXAMPLE },
      },
    },
    errors: ["audit_failed", "user_insert_failed"],
  }),
  deleteUserAsReference: route("POST /admin/users/delete", {
    access: "adminOrBody",
    summary: "Delete a user, as the reference server does",
    description: "The answer is the same when there is no such user.",
    body: { schema: DeleteUserBody, example: { user_id: USER_ID_EXAMPLE }, isRequired: false },
    answers: { 200: { description: "Deleted.", json: UserDeleted, example: { message: "User deleted" } } },
    errors: ["audit_failed", "user_delete_failed"],
  }),
  listUsers: route("GET /admin/users", {
    access: "adminOrQuery",
    summary: "List all users with their tokens",
    description:
      "In the order they were added. A token is empty if the key file that it is encrypted with was lost; the token itself still works for its owner.",
    query: UserListQuery,
    answers: {
      200: {
        description: "The users.",
        json: UserList,
        example: { users: [{ user_id: USER_ID_EXAMPLE, token: TOKEN_EXAMPLE }] },
      },
    },
    errors: ["user_list_failed"],
  }),
};

/** The reference's administration of users: add, delete and list. */
export const usersRoutes = resource("Users", ROUTES).handledBy(({ users, audit, newId }: UsersDeps) => ({
  async addUser({ c, body }) {
    const attributes = attributesOf(withoutNulls(body));
    const given = fieldsOf(attributes);
    const id = newId();
    const { token } = await audit.change(auditNote(c, "user.add", id, given), () =>
      users.add(attributes, id),
    );
    return { token, user_id: id, ...given };
  },

  async deleteUserAsReference({ c, body: { user_id } }) {
    if (user_id) await audit.change(auditNote(c, "user.delete", user_id), () => users.delete(user_id));
    return { message: "User deleted" };
  },

  async listUsers({ query: { details } }) {
    const listed = await users.list();
    if (details !== "true") return { users: listed.map(({ id, token }) => ({ user_id: id, token })) };
    return {
      users: listed.map((user) => {
        const { user_id, ...others } = describeUser(user);
        return { user_id, token: user.token, ...others };
      }),
    };
  },
}));
