import { text } from "../texts/texts.ts";

/** The server's own documents, which need no sign-in. */
export const DOCUMENTS = [{ href: "/docs", title: text("frame.docs") }] as const;
