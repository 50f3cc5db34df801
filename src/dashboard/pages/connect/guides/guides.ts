import { CHAT_GUIDES } from "./chat-guides.ts";
import { CODE_GUIDES } from "./code-guides.ts";
import { CODING_GUIDES } from "./coding-guides.ts";
import type { Guide } from "./guide.ts";

/** How to connect each client: the lines of docs/openai.md and docs/ollama-api.md, which a test compares with these. */
export const GUIDES: readonly Guide[] = [...CODE_GUIDES, ...CODING_GUIDES, ...CHAT_GUIDES];
