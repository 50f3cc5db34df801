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
  /** Who was here when it began. */
  before: ReadonlySet<string>;
}

/** Waits for the agent, and turns green when it is there. */
export function JoinStatus({ agents, choice, before }: JoinStatusProps) {
  const lastSeen = useRef<Agent | null>(null);
  const found = choice && agents.value ? arrivedAgents(agents.value, awaited(choice, before)) : [];
  const [first] = found;
  if (first) lastSeen.current = first;
  return (
    <section class={`card join-status ${first ? "here" : "waiting"}`} aria-label="Whether it has come">
      <div class="card-body row" role="status">
        <span class="join-light" aria-hidden="true">
          {first ? "✓" : ""}
        </span>
        <div class="join-said">
          {first ? <Here agent={first} others={found.length - 1} /> : null}
          {!first && lastSeen.current ? <Gone name={lastSeen.current.name} /> : null}
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

function awaited(choice: KeyChoice, before: ReadonlySet<string>): ExpectedAgent {
  if (choice.mode === "made") return { keyName: choice.added.name, before };
  return { keyName: choice.mode === "none" ? null : undefined, before };
}

const MODELS_SHOWN = 6;

function Here({ agent, others }: { agent: Agent; others: number }) {
  const { name, version, address, models } = agent;
  const rest = models.length - MODELS_SHOWN;
  return (
    <>
      <p class="join-title">
        {name} is connected{others > 0 ? `, and ${formatCount(others, "other")}` : ""}.
      </p>
      <p>
        {version === null ? "" : `Version ${version}, `}from {address}.{" "}
        {models.length === 0 ? stateOf(agent).because : `It offers ${formatCount(models.length, "model")}:`}
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

function Gone({ name }: { name: string }) {
  return (
    <>
      <p class="join-title">{name} was here, and has left again.</p>
      <p class="muted">Its own output, or the server's log, says why. This page goes on waiting for it.</p>
    </>
  );
}

function Waiting({ isReady }: { isReady: boolean }) {
  if (!isReady) return <p class="join-title">Nothing to wait for yet.</p>;
  return (
    <>
      <p class="join-title">Waiting for the agent …</p>
      <p class="muted">
        Does it not come? An agent that is refused says why, and so does the server's log, as{" "}
        <code>agent_refused</code>.
      </p>
    </>
  );
}
