import { agentDescriptions } from "../admin/agents-description.ts";
import { dashboardDescriptions, serverDescriptions } from "../admin/server-description.ts";
import { userDescriptions } from "../admin/users-description.ts";
import { askDescriptions } from "../ask/description.ts";
import { modelDescriptions } from "../models/description.ts";
import { operationDescriptions } from "../operations/description.ts";
import { registrationDescriptions } from "../operations/registration.ts";
import { sessionDescriptions } from "../session/description.ts";
import { usageDescriptions } from "../usage/description.ts";
import type { Description } from "./describe.ts";

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
