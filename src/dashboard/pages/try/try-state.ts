import { api } from "../../api/api.ts";
import { errorText } from "../../api/request.ts";
import { session } from "../../state/session.ts";
import { createStore } from "../../state/store.ts";
import { createConversation } from "./conversation.ts";

/** The current conversation. While other pages are shown, it is kept, and answers continue. */
export const conversation = createConversation({
  send: (request, signal) => api.chat(request, signal),
  describe: errorText,
  now: () => performance.now(),
});

const EMPTY_INPUT = { model: "", system: "", draft: "" };

/** The composer's model, system message and unsent message. */
export const composerInput = createStore(EMPTY_INPUT);

// The next person to sign in must not see what this one wrote.
session.subscribe(() => {
  if (session.get().state !== "out") return;
  conversation.clear();
  composerInput.set(EMPTY_INPUT);
});
