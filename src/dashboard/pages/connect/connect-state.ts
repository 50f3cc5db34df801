import { session } from "../../state/session.ts";
import { createStore } from "../../state/store.ts";

/** The token that the lines are filled in with. It is nowhere but in this page, and gone with it. */
export const filledToken = createStore("");

// The next person to sign in must not see the token of this one.
session.subscribe(() => {
  if (session.get().state === "out") filledToken.set("");
});
