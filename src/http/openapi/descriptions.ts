import { agentDescriptions } from "./agents.ts";
import { askDescriptions } from "./asks.ts";
import type { Description } from "./describe.ts";
import { modelDescriptions } from "./models.ts";
import { operationDescriptions } from "./operations.ts";
import { registrationDescriptions } from "./registration.ts";
import { dashboardDescriptions, serverDescriptions } from "./server.ts";
import { sessionDescriptions } from "./sessions.ts";
import { usageDescriptions } from "./usage.ts";
import { userDescriptions } from "./users.ts";

/** Every route, in the order in which they are shown. */
export const DESCRIPTIONS: readonly Description[] = [
  ...askDescriptions,
  ...modelDescriptions,
  ...userDescriptions,
  ...usageDescriptions,
  ...agentDescriptions,
  ...serverDescriptions,
  ...sessionDescriptions,
  ...registrationDescriptions,
  ...operationDescriptions,
  ...dashboardDescriptions,
];
