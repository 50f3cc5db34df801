import { z } from "zod";
import { readShape } from "../refuse.ts";
import { blocksOf, isToolChange } from "./content.ts";
import type { MessagesBody, Typed } from "./schema.ts";

export type GivenTool = NonNullable<MessagesBody["tools"]>[number];

/** A tool with the path of its definition. */
export interface PlacedTool {
  tool: GivenTool;
  path: string;
}

const name = z.string();
const Definition = z.looseObject({ type: z.string().nullish(), name: z.string().nullish() });
const Change = z.looseObject({
  tool: z.looseObject({ type: z.string(), name: name.nullish(), definition: Definition.nullish() }),
});
const Compaction = z.object({ tool_changes: z.array(z.looseObject({ type: z.string() })).nullish() });

/**
 * Returns the tools that are offered at the end of the conversation: those of the request, with the additions and
 * removals in the messages. Claude Code changes its tools so, to keep the beginning of the prompt the same. A chat
 * completion has one list.
 */
export function offeredTools({ tools, messages }: MessagesBody): PlacedTool[] {
  const given = (tools ?? []).map((tool, index) => ({ tool, path: `tools[${index}]` }));
  const changes = messages.flatMap(({ content }, index) =>
    blocksOf(content, `messages[${index}].content`).flatMap(changesIn),
  );
  if (changes.length === 0) return given;
  const removed = new Set<string>();
  const added = new Map<string, PlacedTool>();
  for (const { block, path } of changes) {
    const { tool } = readShape(Change, block, path);
    const changed = tool.definition?.name ?? tool.name ?? "";
    if (block.type === "tool_removal") removed.add(changed);
    else {
      removed.delete(changed);
      if (tool.definition) added.set(changed, { tool: tool.definition, path: `${path}.tool.definition` });
    }
  }
  const isOffered = ({ tool }: PlacedTool) => !removed.has(tool.name ?? "");
  return [...given.filter(({ tool }) => !added.has(tool.name ?? "")), ...added.values()].filter(isOffered);
}

function changesIn({ block, path }: { block: Typed; path: string }): { block: Typed; path: string }[] {
  if (isToolChange(block.type)) return [{ block, path }];
  if (block.type !== "compaction") return [];
  const changes = readShape(Compaction, block, path).tool_changes ?? [];
  return changes.map((change, index) => ({ block: change, path: `${path}.tool_changes[${index}]` }));
}
