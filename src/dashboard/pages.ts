import type { FC } from "hono/jsx/dom";
import { AgentsPage } from "./pages/agents/agents-page.tsx";
import { AuditPage } from "./pages/audit/audit-page.tsx";
import { OverviewPage } from "./pages/overview/overview-page.tsx";
import { RequestsPage } from "./pages/requests/requests-page.tsx";
import { SettingsPage } from "./pages/settings/settings-page.tsx";
import { TrafficPage } from "./pages/traffic/traffic-page.tsx";
import { TryPage } from "./pages/try/try-page.tsx";
import { UsagePage } from "./pages/usage/usage-page.tsx";
import { UsersPage } from "./pages/users/users-page.tsx";

export interface Page {
  /**
   * The first part of the page's address: `users` is at `#/users`. What follows it is the page's `argument`.
   */
  path: string;
  /** The label in the navigation. The page sets its heading itself. */
  title: string;
  roles: readonly ("admin" | "user")[];
  View: FC<{ argument: string; query: URLSearchParams }>;
}

/** The pages in the order of the navigation. A role's start page is the first one it may see. */
export const PAGES: readonly Page[] = [
  { path: "overview", title: "Overview", roles: ["admin"], View: OverviewPage },
  { path: "traffic", title: "Traffic", roles: ["admin"], View: TrafficPage },
  { path: "requests", title: "Requests", roles: ["admin"], View: RequestsPage },
  { path: "agents", title: "Agents", roles: ["admin"], View: AgentsPage },
  { path: "users", title: "Users", roles: ["admin"], View: UsersPage },
  { path: "usage", title: "Usage", roles: ["admin", "user"], View: UsagePage },
  { path: "requests", title: "Requests", roles: ["user"], View: RequestsPage },
  { path: "try", title: "Try it", roles: ["admin", "user"], View: TryPage },
  { path: "settings", title: "Settings", roles: ["admin"], View: SettingsPage },
  { path: "audit", title: "Audit log", roles: ["admin"], View: AuditPage },
];
