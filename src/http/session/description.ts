import { bodyOf, type Description, jsonAnswer } from "../docs/describe.ts";
import { SessionAnswer, SignedOut, SignInBody } from "./schema.ts";

const ADMIN = { role: "admin", user: null, expires_at: "2026-11-23T20:10:14.924Z" };
const USER = {
  role: "user",
  user: {
    ...{ user_id: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", name: "Ann", expires_at: null },
    ...{ models: ["llama3.2"], requests_per_minute: 100, tokens_per_day: null, max_parallel: 4 },
  },
  expires_at: null,
};

export const sessionDescriptions: readonly Description[] = [
  {
    ...{ method: "POST", path: "/api/session", id: "signIn", tag: "Sessions", key: "signIn" },
    summary: "Sign a browser in",
    description:
      "The answer sets the cookie `session-<port>`, which then counts as the key in requests of the server's own pages, for `--session`. One that the browser had ends.",
    body: bodyOf(
      SignInBody,
      { code: "From the link that the server prints at its first start, where no key is in a header." },
      { example: { code: "zbhgx0lH…" }, isRequired: false },
    ),
    answers: {
      "200": { ...jsonAnswer("Who is signed in.", SessionAnswer, ADMIN), headers: ["set-cookie"] },
    },
    errors: ["body_invalid", "body_too_large", "body_timeout"],
  },
  {
    ...{ method: "GET", path: "/api/session", id: "readSession", tag: "Sessions", key: "caller" },
    summary: "Who is signed in, or whose key it is",
    description: "`expires_at` is when the session ends; null where the caller came with a key.",
    answers: { "200": jsonAnswer("Who it is.", SessionAnswer, USER) },
    errors: ["user_list_failed"],
  },
  {
    ...{ method: "DELETE", path: "/api/session", id: "signOut", tag: "Sessions", key: "caller" },
    summary: "Sign out",
    description: "Ends the session and takes the cookie away.",
    answers: {
      "200": {
        ...jsonAnswer("It has ended.", SignedOut, { message: "Signed out" }),
        headers: ["set-cookie"],
      },
    },
  },
];
