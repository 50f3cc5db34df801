import { AppError } from "../../errors.ts";
import { AGENT_TAGS_MAX, agentTag } from "../../protocol/preference.ts";
import type { Asker } from "../../relay/conversation.ts";
import { lowerOf, PRIORITIES, type Priority } from "../../relay/routing/priority.ts";

type AskPolicy = Pick<Asker, "priority" | "tags">;

export const PRIORITY_HEADER = "x-priority";
export const TAGS_HEADER = "x-agent-tags";

/**
 * Returns what is set for a user, narrowed by the headers of their request: a lower class, and tags that the agent
 * must have all of. Throws `request_invalid` for a header that is not valid.
 */
export function narrowPolicy({ priority, tags }: AskPolicy, headers: Headers): AskPolicy {
  const [asked, named] = [headers.get(PRIORITY_HEADER), headers.get(TAGS_HEADER)];
  return {
    priority: asked === null ? priority : lowerOf(priority ?? "normal", readPriority(asked)),
    tags: named === null ? tags : [...(tags ?? []), ...readTags(named).map((tag) => [tag])],
  };
}

function readPriority(text: string): Priority {
  const found = PRIORITIES.find((priority) => priority === text.toLowerCase());
  if (found) return found;
  throw refused(PRIORITY_HEADER, `It must be one of: ${PRIORITIES.join(", ")}.`);
}

function readTags(text: string): string[] {
  const tags = [...new Set(text.split(",").map((tag) => tag.trim()))];
  if (tags.length <= AGENT_TAGS_MAX && tags.every((tag) => agentTag.safeParse(tag).success)) return tags;
  const advice = `at most ${AGENT_TAGS_MAX} tags, separated by commas, each of 1 to 64 lower-case letters, digits, dots, hyphens or underscores`;
  throw refused(TAGS_HEADER, `It must have ${advice}.`);
}

const refused = (param: string, fault: string): AppError =>
  new AppError("request_invalid", { param, hint: `The header ${param} is not valid. ${fault}` });
