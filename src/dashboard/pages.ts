import type { FC } from "hono/jsx/dom";
import { AgentsPage } from "./pages/agents/agents-page.tsx";
import { AuditPage } from "./pages/audit/audit-page.tsx";
import { ConnectPage } from "./pages/connect/connect-page.tsx";
import { ModelsPage } from "./pages/models/models-page.tsx";
import { OverviewPage } from "./pages/overview/overview-page.tsx";
import { PricesPage } from "./pages/prices/prices-page.tsx";
import { RequestsPage } from "./pages/requests/requests-page.tsx";
import { SessionsPage } from "./pages/sessions/sessions-page.tsx";
import { SettingsPage } from "./pages/settings/settings-page.tsx";
import { TrafficPage } from "./pages/traffic/traffic-page.tsx";
import { TryPage } from "./pages/try/try-page.tsx";
import { UsagePage } from "./pages/usage/usage-page.tsx";
import { UsersPage } from "./pages/users/users-page.tsx";
import { text } from "./texts/texts.ts";

export interface Page {
  /**
   * The first part of the page's address: `users` is at `#/users`. What follows it is the page's `argument`.
   */
  path: string;
  /** The label in the navigation. The page sets its heading itself. */
  title: string;
  /** The page is not in the navigation; others lead to it. */
  isHidden?: true;
  roles: readonly ("admin" | "user")[];
  View: FC<{ argument: string; query: URLSearchParams }>;
}

/** The pages in the order of the navigation. A role's start page is the first one it may see. */
export const PAGES: readonly Page[] = [
  { path: "overview", title: text("nav.overview"), roles: ["admin"], View: OverviewPage },
  { path: "traffic", title: text("nav.traffic"), roles: ["admin"], View: TrafficPage },
  { path: "requests", title: text("nav.requests"), roles: ["admin"], View: RequestsPage },
  { path: "agents", title: text("nav.agents"), roles: ["admin"], View: AgentsPage },
  { path: "models", title: text("nav.models"), roles: ["admin"], View: ModelsPage },
  { path: "users", title: text("nav.users"), roles: ["admin"], View: UsersPage },
  { path: "usage", title: text("nav.usage"), roles: ["admin", "user"], View: UsagePage },
  { path: "prices", title: text("nav.prices"), roles: ["admin"], View: PricesPage },
  { path: "requests", title: text("nav.requests"), roles: ["user"], View: RequestsPage },
  { path: "try", title: text("nav.try"), roles: ["admin", "user"], View: TryPage },
  { path: "connect", title: text("nav.connect"), roles: ["admin", "user"], View: ConnectPage },
  { path: "settings", title: text("nav.settings"), roles: ["admin"], View: SettingsPage },
  { path: "audit", title: text("nav.audit"), roles: ["admin"], View: AuditPage },
  {
    path: "sessions",
    title: text("nav.sessions"),
    isHidden: true,
    roles: ["admin", "user"],
    View: SessionsPage,
  },
];
