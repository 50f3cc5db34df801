import { searchable } from "../../search-text.ts";
import { api } from "../api/api.ts";
import type { SessionAnswer } from "../api/types.ts";
import { PAGES } from "../pages.ts";
import { hrefOf } from "../state/route.ts";
import { signOut } from "../state/session.ts";
import { chooseTheme, theme } from "../state/theme.ts";
import { text } from "../texts/texts.ts";
import { DOCUMENTS } from "./documents.ts";

/** Something that the command palette finds: an address to go to, or an action. */
export interface Command {
  /** Tells commands apart. */
  id: string;
  title: string;
  /** The kind of thing, shown beside the title. */
  kind: string;
  /** Texts by which it is found, too. */
  keywords?: string;
  href?: string;
  run?: () => unknown;
}

/** The commands that need no request: the pages of the role, and the actions of the frame. */
export function ownCommands(role: SessionAnswer["role"]): Command[] {
  const pages = PAGES.filter(({ roles }) => roles.includes(role)).map(({ path, title }) => ({
    ...{ id: `page ${path}`, title, kind: text("palette.page"), href: hrefOf(path) },
  }));
  const documents = DOCUMENTS.map(({ href, title }) => ({
    ...{ id: `document ${href}`, title, kind: text("palette.document"), href },
  }));
  const actions: Command[] = [
    {
      id: "theme",
      title: text(theme.get() === "dark" ? "palette.lightTheme" : "palette.darkTheme"),
      kind: text("palette.action"),
      run: () => chooseTheme(theme.get() === "dark" ? "light" : "dark"),
    },
    { id: "sign out", title: text("frame.signOut"), kind: text("palette.action"), run: signOut },
  ];
  const join: Command = {
    ...{ id: "join", title: text("palette.connectAgent"), kind: text("palette.action") },
    href: hrefOf("agents", "join"),
  };
  return [...pages, ...documents, ...(role === "admin" ? [join] : []), ...actions];
}

/** Loads the commands that lead to what there is: agents, users and models. Leaves out what cannot be loaded. */
export async function loadCommands(role: SessionAnswer["role"], signal: AbortSignal): Promise<Command[]> {
  const found = await Promise.allSettled(
    role === "admin"
      ? [agents(signal), users(signal), models(signal, (id) => hrefOf("models", id))]
      : [models(signal, (id) => hrefOf("requests", "", { model: id }))],
  );
  return found.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}

async function agents(signal: AbortSignal): Promise<Command[]> {
  const list = await api.agents(signal);
  return list.agents.map(({ id, name }) => ({
    id: `agent ${id}`,
    title: name || id,
    kind: text("palette.agent"),
    keywords: id,
    href: hrefOf("requests", "", { agent: id }),
  }));
}

async function users(signal: AbortSignal): Promise<Command[]> {
  const list = await api.users(signal);
  return list.map(({ user_id, name }) => ({
    id: `user ${user_id}`,
    title: name || user_id,
    kind: text("palette.user"),
    keywords: user_id,
    href: hrefOf("users", user_id),
  }));
}

async function models(signal: AbortSignal, hrefOfModel: (id: string) => string): Promise<Command[]> {
  return (await api.models(signal)).map((id) => ({
    id: `model ${id}`,
    title: id,
    kind: text("palette.model"),
    href: hrefOfModel(id),
  }));
}

const SHOWN_MAX = 12;

/**
 * Returns the commands that have every word of the query, at most a screenful: those whose title begins with it come
 * first. Anything that may be the ID of a request also leads to that request.
 */
export function findCommands(commands: readonly Command[], query: string): Command[] {
  const words = searchable(query).split(/\s+/).filter(Boolean);
  const ranked = commands.flatMap((command) => {
    const title = searchable(command.title);
    const all = `${title} ${searchable(`${command.kind} ${command.keywords ?? ""}`)}`;
    if (!words.every((word) => all.includes(word))) return [];
    return [{ command, rank: rankOf(title, words[0]) }];
  });
  const found = ranked.toSorted((a, b) => a.rank - b.rank).map(({ command }) => command);
  return [...found.slice(0, SHOWN_MAX), ...requestCommand(query.trim())];
}

/** 0 if the title begins with the word, 1 if one of its words does, else 2. */
function rankOf(title: string, word = ""): number {
  if (title.startsWith(word)) return 0;
  return title.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word)) ? 1 : 2;
}

function requestCommand(query: string): Command[] {
  if (!/^[\w.-]{8,128}$/.test(query)) return [];
  return [
    {
      id: `request ${query}`,
      title: text("palette.openRequest", { id: query }),
      kind: text("palette.request"),
      href: hrefOf("requests", "", { id: query }),
    },
  ];
}
