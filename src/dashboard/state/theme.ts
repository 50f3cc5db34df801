import { createStore, type Store } from "./store.ts";

/** The colors that somebody has chosen: always these, or those of the system. */
export const THEME_CHOICES = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof THEME_CHOICES)[number];

/** The `localStorage` key of the choice. Without it, the system decides. */
export const THEME_KEY = "chatgpt-api-server.theme";

const darkSystem = matchMedia("(prefers-color-scheme: dark)");

export const themeChoice: Store<ThemeChoice> = createStore<ThemeChoice>("system");
/** The colors in use. The style sheet reads them from an attribute of the document. */
export const theme: Store<"light" | "dark"> = createStore<"light" | "dark">("light");

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === "system") localStorage.removeItem(THEME_KEY);
  else localStorage.setItem(THEME_KEY, choice);
  applyTheme();
}

/** Reads the choice, which another tab may have made, and applies it. */
export function applyTheme(): void {
  const stored = localStorage.getItem(THEME_KEY);
  const choice = THEME_CHOICES.find((name) => name === stored) ?? "system";
  const isDark = choice === "system" ? darkSystem.matches : choice === "dark";
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  themeChoice.set(choice);
  theme.set(isDark ? "dark" : "light");
}

darkSystem.addEventListener("change", applyTheme);
