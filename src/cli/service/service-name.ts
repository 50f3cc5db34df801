import { usageError } from "../../errors.ts";
import type { ServiceKind } from "./service.ts";

const NAMES: Record<ServiceKind, string> = { serve: "chatgpt-api-server", agent: "chatgpt-api-agent" };

/**
 * Returns the name of a service. One of several has a name of its own at the end. All begin alike, so that none has the name,
 * and so the folders, of another program.
 */
export function serviceName(kind: ServiceKind, own: string | undefined): string {
  if (own === undefined) return NAMES[kind];
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(own))
    throw usageError(
      "--service-name is not valid. Give 1 to 40 lower-case letters, digits and hyphens, such as home.",
    );
  return `${NAMES[kind]}-${own}`;
}
