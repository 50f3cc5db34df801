import { useRef } from "hono/jsx/dom";
import type { SessionAnswer } from "../api/types.ts";
import { EmptyState } from "../components/card.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { PAGES, type Page, pageAt } from "../pages.ts";
import { useEffect } from "../state/hooks.ts";
import { hash, hrefOf, readRoute } from "../state/route.ts";
import { useStore } from "../state/use-store.ts";
import { text } from "../texts/texts.ts";
import { Account } from "./account.tsx";
import { CommandPalette, PaletteButton } from "./command-palette.tsx";
import { Icon, isIconName } from "./icon.tsx";
import { Logo } from "./logo.tsx";
import { focusTitle } from "./page-focus.ts";

/**
 * The frame around every page for people who are signed in: the navigation, and the page that the address
 * names.
 */
export function Layout({ who }: { who: SessionAnswer }) {
  const route = readRoute(useStore(hash));
  const pages = PAGES.filter(({ roles }) => roles.includes(who.role));
  const page = pageAt(route, pages);
  usePageChange(page, route.argument);
  return (
    <div class="layout">
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        {text("frame.skip")}
      </button>
      <header class="top">
        <a class="brand" href={hrefOf(pages[0]?.path ?? "")} aria-label={text("frame.startPage")}>
          <Logo />
          <span>chatgpt-api-server</span>
        </a>
        <PaletteButton />
        <nav aria-label={text("frame.pages")}>
          <ul>
            {pages
              .filter(({ isHidden }) => !isHidden)
              .map(({ path, title }) => (
                <li key={path}>
                  <a href={hrefOf(path)} aria-current={page?.path === path ? "page" : null}>
                    {isIconName(path) ? <Icon name={path} /> : null}
                    {title}
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <Account who={who} />
      </header>
      <main id="main" tabindex={-1}>
        {page ? (
          <page.View key={`${page.path}/${route.argument}`} argument={route.argument} query={route.query} />
        ) : (
          <PageNotFound />
        )}
      </main>
      <CommandPalette role={who.role} />
    </div>
  );
}

function PageNotFound() {
  return (
    <>
      <PageHeader title={text("frame.notFound")} />
      <EmptyState title={text("frame.notFound.title")}>
        <p>
          <a href={hrefOf("")}>{text("frame.notFound.start")}</a>
        </p>
      </EmptyState>
    </>
  );
}

/**
 * Sets the window's title. After a change of page, also resets focus and scroll position, as a page load
 * would.
 */
function usePageChange(page: Page | undefined, argument: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = page ? `${page.title} · chatgpt-api-server` : "chatgpt-api-server";
    notePage(page);
    scrollToCurrent();
    if (!isFirst.current) {
      scrollTo(0, 0);
      focusTitle();
    }
    isFirst.current = false;
  }, [page?.path, argument]);
}

/** Notes for the server whether a reload needs the overview: it does not see the part of the address after `#`. */
function notePage(page: Page | undefined): void {
  const age = page?.path === "overview" ? "; Max-Age=0" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: it needs no answer, and over plain HTTP there is no other way.
  document.cookie = `dashboard-page=other; Path=/dashboard; SameSite=Strict${age}`;
}

/**
 * Scrolls the navigation to the current page, because it is wider than a phone. `scrollIntoView` would also
 * move the point from which Tab continues.
 */
function scrollToCurrent(): void {
  const link = document.querySelector<HTMLElement>("nav [aria-current]");
  const nav = link?.closest("nav");
  if (link && nav)
    nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
}
