import { useRef } from "hono/jsx/dom";
import type { Agent } from "../../../api/types.ts";
import { LinkButton } from "../../../components/button.tsx";
import { hrefOf } from "../../../state/route.ts";
import { code } from "../../../texts/code.tsx";
import { countedText, richText, text } from "../../../texts/texts.ts";
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
    <section class={`card join-status ${first ? "connected" : "waiting"}`} aria-label={text("join.status")}>
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
            {text("join.status.try")}
          </LinkButton>
          <LinkButton href={hrefOf("agents")}>{text("join.allAgents")}</LinkButton>
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
        {others > 0
          ? countedText("join.status.connectedWith", others, { name })
          : text("join.status.connected", { name })}
      </p>
      <p>
        {version === null
          ? text("join.status.from", { address })
          : text("join.status.versionFrom", { version, address })}{" "}
        {models.length === 0 ? stateOf(agent).reason : countedText("join.status.models", models.length)}
      </p>
      {models.length > 0 ? (
        <ul class="agent-models row">
          {models.slice(0, MODELS_SHOWN).map((model) => (
            <li class="mono">{model}</li>
          ))}
          {rest > 0 ? <li>{text("join.status.moreModels", { count: rest })}</li> : null}
        </ul>
      ) : null}
    </>
  );
}

function Disconnected({ name }: { name: string }) {
  return (
    <>
      <p class="join-title">{text("join.status.gone", { name })}</p>
      <p class="muted">{text("join.status.gone.about")}</p>
    </>
  );
}

function Waiting({ isReady }: { isReady: boolean }) {
  if (!isReady) return <p class="join-title">{text("join.status.incomplete")}</p>;
  return (
    <>
      <p class="join-title">{text("join.status.waiting")}</p>
      <p class="muted">{richText("join.status.waiting.about", { event: code("agent_refused") })}</p>
    </>
  );
}
