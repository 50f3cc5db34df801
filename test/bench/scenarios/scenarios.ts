import type { Scenario } from "../scenario.ts";
import { ASKS, ASKS_MORE, ASKS_POOLS } from "./asks.ts";
import { BEFORE } from "./before.ts";
import { BRIDGE } from "./bridge.ts";
import { BYTES } from "./bytes.ts";
import { CROSS_NODE, DATABASE, NODES } from "./cluster.ts";
import { DASHBOARD } from "./dashboard.ts";
import { GROWTH } from "./growth.ts";
import { GROWTH_CORE } from "./growth-core.ts";
import { GROWTH_EVENTS } from "./growth-events.ts";
import { HISTORY, HISTORY_MORE } from "./history.ts";
import { IDLE_AGENTS } from "./idle-agents.ts";
import { MEMORY } from "./memory.ts";
import { OVERLOAD } from "./overload.ts";
import { SIZE } from "./size.ts";
import { START } from "./start.ts";
import { CHAT, STREAMS } from "./streams.ts";
import { TOKENS } from "./tokens.ts";

/** All scenarios, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  ASKS,
  ASKS_MORE,
  ASKS_POOLS,
  CHAT,
  STREAMS,
  BRIDGE,
  BYTES,
  GROWTH,
  GROWTH_EVENTS,
  GROWTH_CORE,
  HISTORY,
  HISTORY_MORE,
  TOKENS,
  DASHBOARD,
  OVERLOAD,
  IDLE_AGENTS,
  MEMORY,
  START,
  SIZE,
  BEFORE,
  DATABASE,
  NODES,
  CROSS_NODE,
];
