import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { holdNames } from "./frame/held-name.ts";
import "./shared.ts";
import { PAGES, pageAt } from "./pages.ts";
import { hash, readCode, readRoute } from "./state/route.ts";
import { beginSession, onStorageChange } from "./state/session.ts";
import { applyTheme, THEME_KEY } from "./state/theme.ts";
import { showFirstOverview } from "./state/use-live.ts";
import { language } from "./texts/texts.ts";

/** Reads the current address. Returns its sign-in code, which is removed from the address and the history. */
function readAddress(): string | undefined {
  const code = readCode(location.hash);
  if (code !== undefined) history.replaceState(null, "", location.pathname);
  hash.set(location.hash);
  return code;
}

addEventListener("hashchange", () => {
  const code = readAddress();
  if (code !== undefined) void beginSession(code);
});
addEventListener("storage", ({ key, newValue }) => {
  onStorageChange(key, newValue);
  if (key === THEME_KEY || key === null) applyTheme();
});

applyTheme();
holdNames();
document.documentElement.lang = language;
void showFirstOverview();
void beginSession(readAddress());
const root = document.getElementById("root");
if (root) render(<App />, root);
// Meanwhile, someone signs in, or the server says who has.
void pageAt(readRoute(hash.get()), PAGES)?.preload();
