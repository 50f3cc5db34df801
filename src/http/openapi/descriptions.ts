import { agentDescriptions } from "./agents.ts";
import { askDescriptions } from "./asks.ts";
import type { Description } from "./describe.ts";
import { modelDescriptions } from "./models.ts";
import { operationDescriptions } from "./operations.ts";
import { registrationDescriptions } from "./registration.ts";
import { usageDescriptions } from "./usage.ts";
import { userDescriptions } from "./users.ts";

/** Every route, in the order in which they are shown. */
export const DESCRIPTIONS: readonly Description[] = [
  ...askDescriptions,
  ...modelDescriptions,
  ...userDescriptions,
  ...usageDescriptions,
  ...agentDescriptions,
  ...registrationDescriptions,
  ...operationDescriptions,
];
