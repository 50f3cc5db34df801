import { render } from "hono/jsx/dom";
import { App } from "./app.tsx";
import { hash, readCode } from "./state/route.ts";
import { beginSession, heedStorage } from "./state/session.ts";

const code = readCode(location.hash);
// It must not stay in the address, nor in the history.
if (code !== undefined) history.replaceState(null, "", location.pathname);
hash.set(location.hash);
addEventListener("hashchange", () => hash.set(location.hash));
addEventListener("storage", ({ key, newValue }) => heedStorage(key, newValue));

void beginSession(code);
const root = document.getElementById("root");
if (root) render(<App />, root);
