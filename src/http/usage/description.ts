import { AuditQuery } from "../admin/agents-schema.ts";
import { AuditAnswer } from "../admin/answers.ts";
import { type Answer, type Description, inPath, JSON_TYPE, queryOf, textContent } from "../docs/describe.ts";
import { UsageQuery } from "./query.ts";
import { UsageAnswer } from "./schema.ts";

const CSV = "text/csv";

const NOTES = {
  from: "A date, or a time of RFC 3339. Default: 30 days ago.",
  to: "The same; a date counts with all of its day in UTC, a time without itself. Default: the end of today.",
  by: "Some of `user`, `agent`, `model` and `day`, with commas; empty for one sum.",
  format: "CSV is for spreadsheets.",
  limit: "How many entries, up to 10000.",
};
const ofAll = queryOf(UsageQuery, { ...NOTES, user: "Of one user only; `admin` is the admin key's own." });
const ofOne = ofAll.filter(({ name }) => name !== "user");
const own = ofOne.map((parameter) =>
  parameter.name === "by"
    ? { ...parameter, description: "`model`, `day`, or both with a comma; empty for one sum." }
    : parameter,
);

const USAGE: Answer = {
  description: "The sums, by day and then by the number of asks.",
  headers: ["x-truncated", "content-disposition"],
  content: {
    [JSON_TYPE]: {
      schema: UsageAnswer.meta({ id: "Usage" }),
      example: {
        from: "2026-10-25T00:00:00.000Z",
        to: "2026-11-24T00:00:00.000Z",
        by: ["day"],
        truncated: false,
        usage: [
          {
            ...{ day: "2026-11-23", asks: 3, failed: 1, prompt_tokens: 14, completion_tokens: 6 },
            ...{ uncounted: 1, duration_ms: 840 },
          },
        ],
      },
    },
    [CSV]: textContent(
      "A line of names, then the same.",
      "day,asks,failed,prompt_tokens,completion_tokens,uncounted,duration_ms\r\n2026-11-23,3,1,14,6,1,840\r\n",
    ),
  },
};

export const usageDescriptions: readonly Description[] = [
  {
    ...{
      method: "GET",
      path: "/api/usage",
      id: "readOwnUsage",
      tag: "Usage",
      key: "caller",
      isLimited: true,
    },
    summary: "What you have used",
    parameters: own,
    answers: { "200": USAGE },
    errors: ["request_invalid"],
  },
  {
    ...{ method: "GET", path: "/admin/usage", id: "readUsage", tag: "Usage", key: "admin" },
    summary: "What everybody has used",
    parameters: ofAll,
    answers: { "200": USAGE },
    errors: ["request_invalid"],
  },
  {
    ...{ method: "GET", path: "/admin/users/:id/usage", id: "readUserUsage", tag: "Usage", key: "admin" },
    summary: "What one user has used",
    description: "Also of one that was deleted.",
    parameters: [inPath("id", "The user's id."), ...ofOne],
    answers: { "200": USAGE },
    errors: ["request_invalid"],
  },
  {
    ...{ method: "GET", path: "/admin/audit", id: "readAudit", tag: "Usage", key: "adminOrQuery" },
    summary: "What administrators have changed, newest first",
    description: "`next` is the `before` of the next page.",
    parameters: queryOf(AuditQuery, {
      limit: "How many entries.",
      before: "Only those with a `seq` below it.",
      format: "CSV is for spreadsheets.",
    }),
    answers: {
      "200": {
        description: "The changes.",
        headers: ["content-disposition"],
        content: {
          [JSON_TYPE]: {
            schema: AuditAnswer,
            example: {
              audit: [
                {
                  ...{ seq: 7, at: "2026-11-23T08:10:14.924Z", actor: "admin", action: "user.add" },
                  ...{ target: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", detail: { name: "Ann" } },
                  ...{ address: "192.0.2.7", request_id: "req_6f1c2c1e-2b1e-4a55-9a0e-6d5b2f0f1a11" },
                },
              ],
              next: null,
            },
          },
          [CSV]: textContent(
            "A line of names, then the same.",
            "seq,at,actor,action,target,detail,address,request_id\r\n",
          ),
        },
      },
    },
    errors: ["request_invalid"],
  },
];
