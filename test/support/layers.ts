/**
 * The parts of `src` that each part may import besides itself. `external` matches the packages and runtime modules that
 * it may import.
 */
export const MAY_IMPORT: Record<string, { ours: string[]; external: RegExp }> = {
  "main.ts": { ours: ["cli"], external: /^$/ },
  cli: {
    ours: [
      ...[
        "server",
        "builtin-agent",
        "backup",
        "store",
        "config",
        "auth",
        "data-folder.ts",
        "files.ts",
        "shell-quote.ts",
        "protocol",
        "json",
        "errors.ts",
        "files.ts",
        "log",
        "net",
        "update",
      ],
      ...["http/admin/schema.ts", "http/admin/agent-key-schema.ts", "package.json", "time.ts"],
    ],
    external: /^(node:|bun(:|$)|jsonc-parser$|uqr$|yaml$|zod$)/,
  },
  server: {
    ours: [
      ...[
        "acme",
        "agents",
        "alerts",
        "auth",
        "backup",
        "cluster",
        "config",
        "dashboard",
        "errors.ts",
        "http",
        "log",
        "metrics",
        "net",
      ],
      ...["data-folder.ts", "package.json", "prices", "protocol", "relay", "settings", "spool.ts", "store"],
      "time.ts",
    ],
    external: /^(node:|bun(:|$))/,
  },
  acme: {
    ours: ["errors.ts", "files.ts", "json", "log"],
    external: /^(node:|bun$|zod$)/,
  },
  config: { ours: ["prices", "errors.ts"], external: /^(node:|zod$)/ },
  "errors.ts": { ours: ["error-table.ts"], external: /^$/ },
  "error-table.ts": { ours: [], external: /^$/ },
  "principal.ts": { ours: [], external: /^$/ },
  "user-attributes.ts": { ours: ["relay/routing/priority.ts"], external: /^$/ },
  "once.ts": { ours: [], external: /^$/ },
  "nearest.ts": { ours: [], external: /^$/ },
  "shell-quote.ts": { ours: [], external: /^$/ },
  "bounded-map.ts": { ours: [], external: /^$/ },
  "clock.ts": { ours: [], external: /^$/ },
  "durations.ts": { ours: [], external: /^$/ },
  "time.ts": { ours: ["clock.ts"], external: /^$/ },
  "spool.ts": { ours: [], external: /^node:/ },
  "data-folder.ts": { ours: ["errors.ts"], external: /^node:/ },
  "files.ts": { ours: [], external: /^node:/ },
  "system-error.ts": { ours: [], external: /^$/ },
  log: { ours: [], external: /^$/ },
  json: { ours: [], external: /^$/ },
  net: { ours: [], external: /^(node:|bun$)/ },
  protocol: { ours: ["json"], external: /^zod$/ },
  prices: {
    ours: ["protocol/model-name.ts", "protocol/bytes/media-usage.ts"],
    external: /^zod$/,
  },
  relay: { ours: ["protocol", "json", "errors.ts"], external: /^$/ },
  alerts: { ours: ["relay", "protocol", "log", "errors.ts"], external: /^node:crypto$/ },
  auth: {
    ours: ["store/store.ts", "prices/money.ts", "errors.ts", "files.ts", "net", "time.ts"],
    external: /^(node:|bun(:|$)|zod$)/,
  },
  backup: {
    ours: ["store", "auth", "data-folder.ts", "errors.ts", "files.ts", "json", "config"],
    external: /^(node:|bun(:|$)|tar-stream$|zod$)/,
  },
  update: {
    ours: ["errors.ts", "files.ts", "json", "net"],
    external: /^(node:|bun$|@sigstore\/|zod$)/,
  },
  settings: {
    ours: ["config", "prices", "store/store.ts", "errors.ts"],
    external: /^(bun|zod)$/,
  },
  store: {
    ours: [
      ...["relay/conversation.ts", "relay/record.ts", "relay/routing/priority.ts"],
      ...["protocol/agent-v2.ts", "protocol/bytes/media-usage.ts"],
      ...["errors.ts", "files.ts", "drizzle", "time.ts"],
    ],
    external: /^(node:|bun(:|$)|drizzle-orm)/,
  },
  agents: {
    ours: ["relay", "protocol", "auth", "net", "json", "errors.ts", "log"],
    external: /^bun$/,
  },
  cluster: {
    ours: ["relay", "protocol", "auth", "store/store.ts", "errors.ts", "log", "time.ts"],
    external: /^(node:|bun$|@nats-io\/)/,
  },
  metrics: { ours: ["relay", "protocol", "errors.ts", "time.ts"], external: /^node:fs$/ },
  http: {
    ours: [
      ...["relay", "protocol", "auth", "metrics", "net", "json", "store/store.ts", "errors.ts", "log"],
      ...["alerts", "prices", "settings", "spool.ts"],
    ],
    external: /^(node:util$|node:zlib$|bun|hono(\/.*)?|zod|zod-openapi)$/,
  },
  dashboard: {
    ours: [
      "http/admin/schema.ts",
      "http/admin/models/schema.ts",
      "http/admin/agent-key-schema.ts",
      "http/alerts/schema.ts",
      "http/live/schema.ts",
      "http/operations/dashboard.ts",
      "http/requests/schema.ts",
      "http/session/schema.ts",
      "http/traffic/schema.ts",
      "http/usage/schema.ts",
      "prices/price-list.ts",
      "shell-quote.ts",
    ],
    // Those of the runtime are for `assets.ts`, which runs in the server: no type tells the page of them.
    external: /^(node:util|node:zlib|eventsource-parser|hono\/jsx\/dom|marked|uplot|uqr)$/,
  },
  "builtin-agent": {
    ours: ["protocol", "json", "net", "errors.ts", "log", "clock.ts", "time.ts"],
    external: /^(node:|bun$|eventsource-parser$)/,
  },
};

/** Every part may import these, which import nothing but each other and the priorities. */
export const EVERYONE_MAY_IMPORT: ReadonlySet<string> = new Set([
  "bounded-map.ts",
  "principal.ts",
  "clock.ts",
  "user-attributes.ts",
  "once.ts",
  "durations.ts",
  "nearest.ts",
  "system-error.ts",
  "lost-key.ts",
  "printable.ts",
  "search-text.ts",
  "audit-actions.ts",
]);
