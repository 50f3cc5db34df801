import type { SessionAnswer } from "../api/types.ts";
import { Button } from "../components/button.tsx";
import { SegmentedControl } from "../components/segmented-control.tsx";
import { formatZone } from "../format.ts";
import { hrefOf } from "../state/route.ts";
import { signOut } from "../state/session.ts";
import { chooseTheme, THEME_CHOICES, themeChoice } from "../state/theme.ts";
import { useStore } from "../state/use-store.ts";
import { text } from "../texts/texts.ts";
import { DOCUMENTS } from "./documents.ts";
import { Icon } from "./icon.tsx";

const THEMES = {
  system: "frame.theme.system",
  light: "frame.theme.light",
  dark: "frame.theme.dark",
} as const;

const MENU = "account-menu";

/**
 * Who is signed in, and what they can do on every page: choose the colors, read the documents and sign out. Where the
 * navigation is at the top there is no room for it, and a button opens it as a menu.
 */
export function Account({ who }: { who: SessionAnswer }) {
  return (
    <div class="account">
      <button type="button" class="account-button" popovertarget={MENU} aria-label={text("frame.account")}>
        <Icon name="account" />
      </button>
      <div id={MENU} class="account-menu" popover="auto">
        <AccountMenu who={who} />
      </div>
    </div>
  );
}

function AccountMenu({ who }: { who: SessionAnswer }) {
  return (
    <>
      <ThemeSwitch />
      <div class="account-links">
        {DOCUMENTS.map(({ href, title }) => (
          <a key={href} href={href} target="_blank" rel="noopener">
            {title}
          </a>
        ))}
        <p class="muted">{text("frame.timeZone", { zone: formatZone() })}</p>
      </div>
      <div class="who">
        <a class="who-name" dir="auto" title={nameOf(who)} href={hrefOf("sessions")} onClick={closeMenu}>
          {nameOf(who)}
        </a>
        <Button kind="quiet" isSmall onClick={signOut}>
          {text("frame.signOut")}
        </Button>
      </div>
    </>
  );
}

/** The menu would stay open over the page to which its link leads. */
function closeMenu(): void {
  const menu = document.getElementById(MENU);
  if (menu?.matches(":popover-open")) menu.hidePopover();
}

function ThemeSwitch() {
  return (
    <SegmentedControl
      label={text("frame.theme")}
      value={useStore(themeChoice)}
      options={THEME_CHOICES.map((value) => ({ value, label: text(THEMES[value]) }))}
      onChoose={chooseTheme}
    />
  );
}

function nameOf({ role, user }: SessionAnswer): string {
  if (role === "admin") return text("frame.administrator");
  return user?.name ?? user?.user_id ?? text("frame.user");
}
