import { api } from "../../api/api.ts";
import { ApiError, errorText } from "../../api/request.ts";
import { showToast } from "../../components/toast.tsx";
import { identityOf, onSignOut, session } from "../../state/session.ts";
import { createStore } from "../../state/store.ts";
import { text } from "../../texts/texts.ts";
import { createConversation } from "./chat/conversation.ts";
import { type ChatSettings, EMPTY_SETTINGS, type Image, type Turn } from "./chat/types.ts";
import { deleteChats, listChats, readChat, writeChat, writeTitle } from "./kept/database.ts";
import { createKeeper } from "./kept/keeper.ts";
import {
  type ChatBody,
  type ChatEntry,
  lengthOf,
  newChatId,
  settingsOf,
  titleOf,
  toBody,
  turnsOf,
} from "./kept/kept-chat.ts";

/** The current conversation. While other pages are shown, it is kept, and answers continue. */
export const conversation = createConversation({
  send: (request, signal) => api.chat(request, signal),
  describe: errorText,
  requestIdOf: (error) => (error instanceof ApiError ? error.requestId : undefined),
  now: () => performance.now(),
  time: () => Date.now(),
});

export const settings = createStore<ChatSettings>(EMPTY_SETTINGS);

export function changeSettings(by: Partial<ChatSettings>): void {
  settings.set({ ...settings.get(), ...by });
}

interface Draft {
  text: string;
  images: readonly Image[];
  /** Whether it takes the place of the newest question. */
  isEdit: boolean;
}
const EMPTY_DRAFT: Draft = { text: "", images: [], isEdit: false };

/** The unsent message. */
export const draft = createStore<Draft>(EMPTY_DRAFT);

export function changeDraft(by: Partial<Draft>): void {
  draft.set({ ...draft.get(), ...by });
}

/** The id of the current conversation, and the title that somebody gave it. */
interface Current {
  id: string;
  title?: string | undefined;
}
export const current = createStore<Current>(fresh());

/** The conversations of who is signed in, newest first; undefined if the browser keeps none. */
export const kept = createStore<readonly ChatEntry[] | undefined>([]);

function fresh(): Current {
  return { id: newChatId() };
}

const keeper = createKeeper({
  write: writeChat,
  onMoved(from, to) {
    if (current.get().id !== from) return;
    current.set({ ...current.get(), id: to });
    showToast(text("try.kept.copied"));
  },
});
/** Whether the browser could not keep the newest change. */
export const isKeepingFailed = keeper.isFailed;

function ownerOf(): string | undefined {
  const now = session.get();
  return now.state === "in" ? identityOf(now.who) : undefined;
}

/** Reads the list again, in which another tab may have changed something. */
export async function reloadKept(): Promise<void> {
  const owner = ownerOf();
  if (owner === undefined) return;
  const entries = await listChats(owner).catch(() => undefined);
  if (ownerOf() === owner) kept.set(entries);
}

/** Returns the current conversation as it is kept; undefined if there is nothing to keep. */
function toKeep(): { entry: ChatEntry; body: ChatBody } | undefined {
  const owner = ownerOf();
  const turns = conversation.turns.get();
  if (owner === undefined || turns.length === 0) return undefined;
  const { id, title } = current.get();
  const body = toBody(id, settings.get(), turns);
  const entry = { id, owner, title: title ?? titleOf(turns), at: Date.now(), length: lengthOf(body) };
  return { entry, body };
}

/** Keeps the current conversation as it is now, after those before. */
async function save(): Promise<void> {
  const now = toKeep();
  if (!now) return;
  await keeper.keep(now.entry, now.body);
  await reloadKept();
}

const SAVE_MS = 300;
/** While an answer arrives, it is kept now and then, as a reload may come at any time. */
const SAVE_RUNNING_MS = 2_000;
let saveTimer: ReturnType<typeof setTimeout> | undefined;

function scheduleSave(): void {
  if (saveTimer !== undefined) return;
  const run = () => {
    saveTimer = undefined;
    void save();
    if (conversation.isBusy()) scheduleSave();
  };
  saveTimer = setTimeout(run, conversation.isBusy() ? SAVE_RUNNING_MS : SAVE_MS);
}

/** Keeps what is not kept yet. What another tab has changed since stays as it is. */
async function saveRest(): Promise<void> {
  if (saveTimer === undefined) return;
  clearTimeout(saveTimer);
  saveTimer = undefined;
  await save();
}

conversation.turns.subscribe(() => {
  if (conversation.turns.get().length === 0) return;
  // The end of an answer is kept soon.
  if (!conversation.isBusy()) {
    clearTimeout(saveTimer);
    saveTimer = undefined;
  }
  scheduleSave();
});
addEventListener("pagehide", () => {
  const now = saveTimer === undefined ? undefined : toKeep();
  if (now) keeper.keepAtOnce(now.entry, now.body);
});

/** Begins an empty conversation with the same settings. The former one is kept. */
export function startChat(): void {
  // The page does not wait for a browser that cannot keep it.
  void saveRest();
  show(fresh(), []);
}

/** Shows a kept conversation. Resolves with whether there is one. */
export async function openChat(id: string): Promise<boolean> {
  const owner = ownerOf();
  if (owner === undefined) return false;
  await saveRest();
  const found = await readChat(owner, id).catch(() => undefined);
  if (!found || ownerOf() !== owner) return false;
  const turns = turnsOf(found.body);
  keeper.found(id, found.entry.at);
  const isNamed = found.entry.title !== titleOf(turns);
  settings.set(settingsOf(found.body));
  show({ id, ...(isNamed && { title: found.entry.title }) }, turns);
  return true;
}

function show(next: Current, turns: readonly Turn[]): void {
  current.set(next);
  draft.set(EMPTY_DRAFT);
  conversation.clear(turns);
  // What is shown is as it is kept.
  clearTimeout(saveTimer);
  saveTimer = undefined;
}

export async function renameChat(entry: ChatEntry, title: string): Promise<void> {
  if (entry.id === current.get().id) current.set({ id: entry.id, title });
  await writeTitle(entry.id, title);
  await reloadKept();
}

/** Deletes conversations. The current one gives way to an empty one. */
export async function forgetChats(entries: readonly ChatEntry[]): Promise<void> {
  if (entries.some(({ id }) => id === current.get().id)) show(fresh(), []);
  await deleteChats(entries);
  await reloadKept();
}

// Signing out leaves nothing behind for the next person at this browser. A session that has ended does.
onSignOut((who) => {
  void keeper
    .idle()
    .then(() => listChats(identityOf(who)))
    .then(deleteChats)
    .catch(() => undefined);
});

// The next person to sign in must not see what this one wrote.
session.subscribe(() => {
  if (session.get().state !== "out") return;
  show(fresh(), []);
  settings.set(EMPTY_SETTINGS);
  kept.set([]);
});
