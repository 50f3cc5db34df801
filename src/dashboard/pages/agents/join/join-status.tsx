import { useRef } from "hono/jsx/dom";
import type { Agent } from "../../../api/types.ts";
import { LinkButton } from "../../../components/button.tsx";
import { formatCount } from "../../../format.ts";
import { hrefOf } from "../../../state/route.ts";
import { stateOf } from "../agent-rows.ts";
import type { Agents } from "../use-agents.ts";
import { arrivedAgents, type ExpectedAgent } from "./expected-agent.ts";
import type { KeyChoice } from "./key-step.tsx";

interface JoinStatusProps {
  agents: Agents;
  choice: KeyChoice | undefined;
  /** The ids of the agents that were connected before. */
  before: ReadonlySet<string>;
}

/** Waits for the agent, and shows a check mark when it is connected. */
export function JoinStatus({ agents, choice, before }: JoinStatusProps) {
  const lastSeen = useRef<Agent | null>(null);
  const found = choice && agents.value ? arrivedAgents(agents.value, expectedAgent(choice, before)) : [];
  const [first] = found;
  if (first) lastSeen.current = first;
  return (
    <section class={`card join-status ${first ? "connected" : "waiting"}`} aria-label="Connection status">
      <div class="card-body row" role="status">
        <span class="join-light" aria-hidden="true">
          {first ? "✓" : ""}
        </span>
        <div class="join-message">
          {first ? <Connected agent={first} others={found.length - 1} /> : null}
          {!first && lastSeen.current ? <Disconnected name={lastSeen.current.name} /> : null}
          {!first && !lastSeen.current ? <Waiting isReady={choice !== undefined} /> : null}
        </div>
      </div>
      {first ? (
        <div class="join-next">
          <LinkButton kind="primary" href={hrefOf("try")}>
            Try it
          </LinkButton>
          <LinkButton href={hrefOf("agents")}>All agents</LinkButton>
        </div>
      ) : null}
    </section>
  );
}

function expectedAgent(choice: KeyChoice, before: ReadonlySet<string>): ExpectedAgent {
  if (choice.mode === "created") return { keyName: choice.added.name, before };
  return { keyName: choice.mode === "none" ? null : undefined, before };
}

const MODELS_SHOWN = 6;

function Connected({ agent, others }: { agent: Agent; others: number }) {
  const { name, version, address, models } = agent;
  const rest = models.length - MODELS_SHOWN;
  return (
    <>
      <p class="join-title">
        {name} is connected{others > 0 ? `, and ${formatCount(others, "other agent")}` : ""}.
      </p>
      <p>
        {version === null ? "" : `Version ${version}, `}from {address}.{" "}
        {models.length === 0
          ? stateOf(agent).reason
          : `The agent offers ${formatCount(models.length, "model")}:`}
      </p>
      {models.length > 0 ? (
        <ul class="agent-models row">
          {models.slice(0, MODELS_SHOWN).map((model) => (
            <li class="mono">{model}</li>
          ))}
          {rest > 0 ? <li>and {rest} more</li> : null}
        </ul>
      ) : null}
    </>
  );
}

function Disconnected({ name }: { name: string }) {
  return (
    <>
      <p class="join-title">{name} was connected, but has disconnected.</p>
      <p class="muted">The agent's output or the server's log says why. This page keeps waiting for it.</p>
    </>
  );
}

function Waiting({ isReady }: { isReady: boolean }) {
  if (!isReady) return <p class="join-title">Complete the steps above first.</p>;
  return (
    <>
      <p class="join-title">Waiting for the agent …</p>
      <p class="muted">
        If it does not connect, look at the agent's output, or for <code>agent_refused</code> in the server's
        log. Both say why an agent is refused.
      </p>
    </>
  );
}
