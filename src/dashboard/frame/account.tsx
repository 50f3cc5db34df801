import type { SessionAnswer } from "../api/types.ts";
import { Button } from "../components/button.tsx";
import { SegmentedControl } from "../components/segmented-control.tsx";
import { hrefOf } from "../state/route.ts";
import { signOut } from "../state/session.ts";
import { chooseTheme, THEME_CHOICES, themeChoice } from "../state/theme.ts";
import { useStore } from "../state/use-store.ts";
import { text } from "../texts/texts.ts";
import { DOCUMENTS } from "./documents.ts";

const THEMES = {
  system: "frame.theme.system",
  light: "frame.theme.light",
  dark: "frame.theme.dark",
} as const;

/** Who is signed in, and what they can do on every page: choose the colors, read the documents and sign out. */
export function Account({ who }: { who: SessionAnswer }) {
  return (
    <div class="account">
      <ThemeSwitch />
      <div class="account-links">
        {DOCUMENTS.map(({ href, title }) => (
          <a key={href} href={href} target="_blank" rel="noopener">
            {title}
          </a>
        ))}
      </div>
      <div class="who">
        <a class="who-name" href={hrefOf("sessions")}>
          {nameOf(who)}
        </a>
        <Button kind="quiet" isSmall onClick={signOut}>
          {text("frame.signOut")}
        </Button>
      </div>
    </div>
  );
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
