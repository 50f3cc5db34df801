import { bodyOf, type Description, inPath, jsonAnswer } from "../docs/describe.ts";
import { AddedUser, RotatedToken, UserAnswer, UserDeleted, UserList } from "./answers.ts";
import {
  AddUserBody,
  AdminKeyBody,
  ChangeUserBody,
  DeleteUserBody,
  EmptyAdminBody,
  RotateUserBody,
} from "./schema.ts";

const ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
const TOKEN = "0b1f7c1a-5e7e-4a8e-8f5e-3d0f4b0c9d4e";
const FIELDS = {
  name: "Ann",
  expires_at: "2027-12-31T23:59:59.000Z",
  models: ["llama3.2"],
  requests_per_minute: 100,
  tokens_per_day: 50_000,
  max_parallel: 4,
};
const USER = { user_id: ID, created_at: "2026-11-23T08:10:14.924Z", disabled_at: null, ...FIELDS };

const ADMIN_NOTE = { admin_key: "The admin key, where it is in no header." };
const FIELD_NOTES = {
  name: "For people.",
  expires_at: "From then on the tokens are refused.",
  models: "Names of the models, or of aliases, that the user may use; every one where it is null.",
  requests_per_minute: "Asks in any 60 seconds.",
  tokens_per_day: "Tokens, read and written, in a day of UTC.",
  max_parallel: "Asks that run or wait at once.",
};

const BODY_ERRORS = ["body_invalid", "body_too_large", "body_timeout"] as const;
const CHANGE_ERRORS = [
  ...BODY_ERRORS,
  "user_unknown",
  "user_change_failed",
  "user_list_failed",
  "audit_failed",
] as const;
const parameters = [inPath("id", "The user's id.")];
const emptyBody = bodyOf(EmptyAdminBody, ADMIN_NOTE, { example: {}, isRequired: false });
const ofUser = (action: "disable" | "enable", summary: string, description: string): Description => ({
  ...{
    method: "POST",
    path: `/admin/users/:id/${action}`,
    id: `${action}User`,
    tag: "Users",
    key: "adminOrBody",
  },
  ...{ summary, description, parameters, body: emptyBody },
  answers: {
    "200": jsonAnswer("How the user is then.", UserAnswer, {
      ...USER,
      disabled_at: action === "disable" ? "2026-11-23T09:00:00.000Z" : null,
    }),
  },
  errors: CHANGE_ERRORS,
});

export const userDescriptions: readonly Description[] = [
  {
    ...{ method: "POST", path: "/admin/users/add", id: "addUser", tag: "Users", key: "adminOrBody" },
    summary: "Add a user, and get his token",
    description: "Unknown fields are ignored, and null is the same as missing.",
    body: bodyOf(
      AddUserBody.extend(AdminKeyBody.shape),
      { ...ADMIN_NOTE, ...FIELD_NOTES },
      { example: FIELDS, isRequired: false },
    ),
    answers: {
      "200": jsonAnswer("The token and the id, and the fields that were given.", AddedUser, {
        ...{ token: TOKEN, user_id: ID },
        ...FIELDS,
      }),
    },
    errors: [...BODY_ERRORS, "user_insert_failed", "audit_failed"],
  },
  {
    ...{
      method: "POST",
      path: "/admin/users/delete",
      id: "deleteUserAsReference",
      tag: "Users",
      key: "adminOrBody",
    },
    summary: "Delete a user, as the reference does",
    description: "Answers the same where there was no such user.",
    body: bodyOf(
      DeleteUserBody.extend(AdminKeyBody.shape),
      { ...ADMIN_NOTE, user_id: "Whom." },
      { example: { user_id: ID }, isRequired: false },
    ),
    answers: { "200": jsonAnswer("Deleted.", UserDeleted, { message: "User deleted" }) },
    errors: [...BODY_ERRORS, "user_delete_failed", "audit_failed"],
  },
  {
    ...{ method: "GET", path: "/admin/users", id: "listUsers", tag: "Users", key: "adminOrQuery" },
    summary: "All users with their tokens",
    description:
      "In the order they were added. A token is empty where the file that it is sealed with was lost; it still works for its owner.",
    parameters: [
      {
        ...{ name: "details", in: "query", required: false },
        description: "`true` for all that is known of each user.",
        schema: { type: "string", enum: ["true", "false"] },
      },
    ],
    answers: {
      "200": jsonAnswer("The users.", UserList, { users: [{ user_id: ID, token: TOKEN }] }),
    },
    errors: ["user_list_failed"],
  },
  {
    ...{ method: "GET", path: "/admin/users/:id", id: "readUser", tag: "Users", key: "adminOrQuery" },
    summary: "One user, without the token",
    parameters,
    answers: { "200": jsonAnswer("The user.", UserAnswer, USER) },
    errors: ["user_unknown", "user_list_failed"],
  },
  {
    ...{ method: "PATCH", path: "/admin/users/:id", id: "changeUser", tag: "Users", key: "adminOrBody" },
    summary: "Change a user",
    description:
      "Fields that are missing stay as they are; null takes one away; one that there is not is refused.",
    parameters,
    body: bodyOf(
      ChangeUserBody,
      { ...ADMIN_NOTE, ...FIELD_NOTES },
      { example: { requests_per_minute: 200, tokens_per_day: null } },
    ),
    answers: {
      "200": jsonAnswer("How the user is then.", UserAnswer, {
        ...USER,
        requests_per_minute: 200,
        tokens_per_day: null,
      }),
    },
    errors: CHANGE_ERRORS,
  },
  ofUser("disable", "Refuse a user's tokens from now on", "What he has under way is ended."),
  ofUser("enable", "Take a user's tokens again", ""),
  {
    ...{
      method: "POST",
      path: "/admin/users/:id/rotate",
      id: "rotateToken",
      tag: "Users",
      key: "adminOrBody",
    },
    summary: "Give a user a new token",
    parameters,
    body: bodyOf(
      RotateUserBody,
      {
        ...ADMIN_NOTE,
        grace_seconds: "How long the old token is valid beside the new one; not at all if missing.",
      },
      { example: { grace_seconds: 3600 }, isRequired: false },
    ),
    answers: { "200": jsonAnswer("The new token.", RotatedToken, { token: TOKEN, user_id: ID }) },
    errors: CHANGE_ERRORS,
  },
  {
    ...{ method: "DELETE", path: "/admin/users/:id", id: "deleteUser", tag: "Users", key: "adminOrBody" },
    summary: "Delete a user",
    description: "With his tokens and conversations; what he used stays in the figures.",
    parameters,
    body: emptyBody,
    answers: { "200": jsonAnswer("Deleted.", UserDeleted, { message: "User deleted" }) },
    errors: [...BODY_ERRORS, "user_unknown", "user_delete_failed", "user_list_failed", "audit_failed"],
  },
];
