import { type Description, jsonAnswer, textContent } from "../docs/describe.ts";
import { Overview } from "../live/schema.ts";
import { SettingsAnswer } from "./server-schema.ts";

const AGENT = { id: "7c9e6679-7425-40de-944b-e07fc1f90ae7", name: "gpu box" };

const OVERVIEW: Overview = {
  version: "0.1.0",
  started_at: "2026-11-23T08:10:14.924Z",
  now: "2026-11-23T09:01:45.031Z",
  ready: { status: "ready", reasons: [] },
  agents: { connected: 1, accepting: 1 },
  slots: { total: 4, in_use: 1 },
  queue: { length: 0, oldest_wait_ms: null },
  models: [{ id: "llama3.2", agents: 1 }],
  samples: {
    ...{ from: "2026-11-23T09:01:43.030Z", every_ms: 1000, asks: [1, 0], ok: [0, 1], failed: [0, 0] },
    ...{ deltas: [12, 7], queue: [0, 0], running: [1, 0], slots: [4, 4], slots_in_use: [1, 0] },
    ...{ agents: [1, 1], queue_ms: [null, 1], first_byte_ms: [null, 210] },
  },
  asks: [
    {
      request_id: "req_6f1c2c1e-2b1e-4a55-9a0e-6d5b2f0f1a11",
      at: "2026-11-23T09:01:44.120Z",
      user: { user_id: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", name: "Ann" },
      ...{ agent: AGENT, model: "llama3.2", surface: "chat/completions", outcome: "ok" },
      ...{ upstream_status: 200, queue_ms: 1, first_byte_ms: 210, duration_ms: 840 },
      ...{ prompt_tokens: 14, completion_tokens: 19 },
    },
  ],
};

export const serverDescriptions: readonly Description[] = [
  {
    ...{ method: "GET", path: "/admin/overview", id: "readOverview", tag: "Server", key: "admin" },
    summary: "What goes on, and went on in the last 15 minutes",
    description:
      "`samples` has a list for each figure, with an entry for each second that is over; a median is null where there was nothing to measure. `asks` are the newest that have ended, with what became of them and never with what was asked.",
    answers: { "200": jsonAnswer("The overview.", Overview, OVERVIEW) },
  },
  {
    ...{ method: "GET", path: "/admin/live", id: "watchLive", tag: "Server", key: "admin" },
    summary: "The same, live",
    description:
      'A WebSocket. Its first frame is `{"type":"overview",…}` with the overview; then, once a second, `{"type":"second",…}` with the figures as they are, the `sample` of that second, the `asks` that have ended in it, and `models` where they have changed. It takes no frames. It is closed with 4401 when the session that opened it ends.',
    answers: { "101": { description: "The socket is open." } },
    errors: ["upgrade_required", "live_full", "draining"],
  },
  {
    ...{ method: "GET", path: "/admin/settings", id: "readSettings", tag: "Server", key: "admin" },
    summary: "The settings in force",
    description: "Secrets are masked. They are changed on the command line or in the environment only.",
    answers: {
      "200": jsonAnswer("Each by its name, in the order of the documentation.", SettingsAnswer, {
        version: "0.1.0",
        started_at: "2026-11-23T08:10:14.924Z",
        settings: {
          queueWaitMs: {
            ...{ value: "2m", from: "default", label: "--queue-wait" },
            about: "How long an ask waits for a free agent.",
          },
        },
      }),
    },
  },
  {
    ...{ method: "GET", path: "/admin/backup", id: "takeBackup", tag: "Server", key: "admin" },
    summary: "A copy of the server's data, with its keys",
    description:
      "What the command `backup` writes, and `restore` reads. One at a time. With it goes a row in the audit.",
    answers: {
      "200": {
        description: "The archive, under a name with the day's date.",
        headers: ["content-disposition"],
        content: { "application/x-tar": textContent("A tar archive.", "backup.json…") },
      },
    },
    errors: ["backup_busy", "backup_failed", "audit_failed"],
  },
];

export const dashboardDescriptions: readonly Description[] = [
  {
    ...{ method: "GET", path: "/dashboard", id: "readDashboard", tag: "Operations", key: "none" },
    summary: "The dashboard",
    description: "A page that asks for all that it shows by the routes described here.",
    answers: {
      "200": {
        description: "The page.",
        headers: ["etag", "content-encoding"],
        content: { "text/html": textContent("HTML.", "<!doctype html>") },
      },
      "304": { description: "It is still what `If-None-Match` names.", headers: ["etag"] },
    },
  },
  {
    ...{ method: "GET", path: "/dashboard/:file", id: "readDashboardFile", tag: "Operations", key: "none" },
    summary: "A script or style of the dashboard",
    description: "Its name changes with its content.",
    parameters: [
      {
        ...{ name: "file", in: "path", required: true },
        description: "As the page names it.",
        schema: { type: "string" },
      },
    ],
    answers: {
      "200": {
        description: "The file.",
        headers: ["etag", "content-encoding"],
        content: { "text/javascript": textContent("A script.", "…") },
      },
      "304": { description: "It is still what `If-None-Match` names.", headers: ["etag"] },
    },
    errors: ["not_found"],
  },
];
