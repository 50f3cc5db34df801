import { testAgentKeys } from "./agent-keys.ts";
import { testAudit } from "./audit.ts";
import type { BackEnd } from "./back-end.ts";
import { testConversationQuota } from "./conversation-quota.ts";
import { testConversations } from "./conversations.ts";
import { testCosts } from "./costs.ts";
import { testPairings } from "./pairings.ts";
import { testRefusals } from "./refusals.ts";
import { testRequests } from "./requests.ts";
import { testResponses } from "./responses.ts";
import { testSessions } from "./sessions.ts";
import { testSettings } from "./settings.ts";
import { testUsage } from "./usage.ts";
import { testUsers } from "./users.ts";

/** Defines the tests that every kind of store must pass: those of the contract in `src/store/store.ts`. */
export function testContract(backEnd: BackEnd): void {
  testUsers(backEnd);
  testAgentKeys(backEnd);
  testPairings(backEnd);
  testResponses(backEnd);
  testSessions(backEnd);
  testAudit(backEnd);
  testSettings(backEnd);
  testUsage(backEnd);
  testCosts(backEnd);
  testRequests(backEnd);
  testRefusals(backEnd);
  testConversations(backEnd);
  testConversationQuota(backEnd);
}
