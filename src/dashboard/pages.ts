import type { FC } from "hono/jsx/dom";
import { lazyPage, type PageProps } from "./frame/lazy-page.tsx";
import { OverviewPage } from "./pages/overview/overview-page.tsx";
import type { Route } from "./state/route.ts";
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
  View: FC<PageProps>;
  /** Loads the page before it is shown. */
  preload(): Promise<void>;
}

/** The pages in the order of the navigation. A role's start page is the first one it may see. */
export const PAGES: readonly Page[] = [
  {
    path: "overview",
    title: text("nav.overview"),
    roles: ["admin"],
    // It comes with the first file: it is what administrators see first.
    ...lazyPage(async () => OverviewPage),
  },
  {
    path: "traffic",
    title: text("nav.traffic"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/traffic/traffic-page.tsx")).TrafficPage),
  },
  {
    path: "requests",
    title: text("nav.requests"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/requests/requests-page.tsx")).RequestsPage),
  },
  {
    path: "agents",
    title: text("nav.agents"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/agents/agents-page.tsx")).AgentsPage),
  },
  {
    path: "models",
    title: text("nav.models"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/models/models-page.tsx")).ModelsPage),
  },
  {
    path: "users",
    title: text("nav.users"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/users/users-page.tsx")).UsersPage),
  },
  {
    path: "usage",
    title: text("nav.usage"),
    roles: ["admin", "user"],
    ...lazyPage(async () => (await import("./pages/usage/usage-page.tsx")).UsagePage),
  },
  {
    path: "prices",
    title: text("nav.prices"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/prices/prices-page.tsx")).PricesPage),
  },
  {
    path: "requests",
    title: text("nav.requests"),
    roles: ["user"],
    ...lazyPage(async () => (await import("./pages/requests/requests-page.tsx")).RequestsPage),
  },
  {
    path: "try",
    title: text("nav.try"),
    roles: ["admin", "user"],
    ...lazyPage(async () => (await import("./pages/try/try-page.tsx")).TryPage),
  },
  {
    path: "connect",
    title: text("nav.connect"),
    roles: ["admin", "user"],
    ...lazyPage(async () => (await import("./pages/connect/connect-page.tsx")).ConnectPage),
  },
  {
    path: "settings",
    title: text("nav.settings"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/settings/settings-page.tsx")).SettingsPage),
  },
  {
    path: "audit",
    title: text("nav.audit"),
    roles: ["admin"],
    ...lazyPage(async () => (await import("./pages/audit/audit-page.tsx")).AuditPage),
  },
  {
    path: "sessions",
    title: text("nav.sessions"),
    isHidden: true,
    roles: ["admin", "user"],
    ...lazyPage(async () => (await import("./pages/sessions/sessions-page.tsx")).SessionsPage),
  },
];

/** Returns the page that an address names: the start page if it names none. */
export function pageAt({ page }: Route, pages: readonly Page[]): Page | undefined {
  return page === "" ? pages[0] : pages.find(({ path }) => path === page);
}
