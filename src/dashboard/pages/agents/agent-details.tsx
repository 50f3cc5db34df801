import type { Child } from "hono/jsx/dom";
import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { formatAgo, formatTime } from "../../format.ts";
import { LoadOf, StateOf } from "./agent-list.tsx";

interface AgentDetailsProps {
  agent: Agent;
  /** It is connected still. */
  isHere: boolean;
  /** The server's clock. */
  now: number;
  onDisconnect: () => void;
  onClose: () => void;
}

/** All that is known of one agent, live. */
export function AgentDetails({ agent, isHere, now, onDisconnect, onClose }: AgentDetailsProps) {
  const { version, protocol, address, key, since, last_heard, models, id } = agent;
  return (
    <Dialog title={agent.name} onClose={onClose}>
      {isHere ? null : <Notice tone="warn">It has left. This is how it was last seen.</Notice>}
      <dl class="facts">
        <Fact name="State">
          <StateOf agent={agent} />
        </Fact>
        <Fact name="Slots in use">
          <LoadOf agent={agent} />
        </Fact>
        <Fact name="Last heard">{formatAgo(last_heard, now)}</Fact>
        <Fact name="Connected since">{formatTime(since)}</Fact>
        <Fact name="Version">{version ?? "It says none"}</Fact>
        <Fact name="Protocol">{protocol === 1 ? "1, that of the first agents" : "2"}</Fact>
        <Fact name="Address">
          <span class="mono">{address}</span>
        </Fact>
        <Fact name="Key">{key === null ? "None was shown" : key === "main" ? "The main key" : key}</Fact>
        <Fact name="Id">
          <span class="mono">{id}</span>
        </Fact>
        <Fact name={`Models (${models.length})`}>
          <ul class="agent-models">
            {models.map((model) => (
              <li class="mono">{model}</li>
            ))}
          </ul>
        </Fact>
      </dl>
      <div class="form-actions">
        {isHere ? (
          <Button kind="danger" onClick={onDisconnect}>
            Disconnect …
          </Button>
        ) : null}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
