import { api } from "../../api/api.ts";
import { textOf } from "../../api/request.ts";
import { session } from "../../state/session.ts";
import { createStore } from "../../state/store.ts";
import { createConversation } from "./conversation.ts";

/** The conversation stays while one looks at other pages, and an answer goes on. */
export const talk = createConversation({
  send: (request, signal) => api.chat(request, signal),
  describe: textOf,
  now: () => performance.now(),
});

const NOTHING = { model: "", system: "", draft: "" };

export const choice = createStore(NOTHING);

// Nothing of what one has written is there for whoever signs in next.
session.subscribe(() => {
  if (session.get().state !== "out") return;
  talk.clear();
  choice.set(NOTHING);
});
