import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { hash, readCode } from "./state/route.ts";
import { beginSession, onStorageChange } from "./state/session.ts";

/** Takes what the address says now. Gives the code in it, which must not stay there, nor in the history. */
function takeAddress(): string | undefined {
  const code = readCode(location.hash);
  if (code !== undefined) history.replaceState(null, "", location.pathname);
  hash.set(location.hash);
  return code;
}

addEventListener("hashchange", () => {
  const code = takeAddress();
  if (code !== undefined) void beginSession(code);
});
addEventListener("storage", ({ key, newValue }) => onStorageChange(key, newValue));

void beginSession(takeAddress());
const root = document.getElementById("root");
if (root) render(<App />, root);
