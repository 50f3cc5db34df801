import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatCount, formatTime } from "../../format.ts";

interface AgentFailuresProps {
  agent: Agent;
  /** The server's time, in milliseconds since 1970. */
  now: number;
  /** Called after the agent was reset; undefined if it cannot be, as it has left. */
  onReset: (() => void) | undefined;
}

/** The models for which the agent failed, and a button that lets it have requests again. */
export function AgentFailures({ agent: { id, name, circuits }, now, onReset }: AgentFailuresProps) {
  const reset = async () => {
    await api.resetAgent(id);
    showToast(`${name} gets requests again.`);
    onReset?.();
  };
  return (
    <>
      <ul class="agent-failures">
        {circuits.map((circuit) => (
          <li>
            <span class="mono">{circuit.model}</span>: {formatCount(circuit.failures, "failure")} in a row.{" "}
            {stateText(circuit, now)} The last reason: {circuit.reason}.
          </li>
        ))}
      </ul>
      {onReset ? (
        <Button isSmall onClick={reset}>
          Allow requests now
        </Button>
      ) : null}
    </>
  );
}

const SECONDS_SHOWN_MAX = 120;

function stateText({ state, retry_at }: Agent["circuits"][number], now: number): string {
  const leftS = Math.max(Math.ceil((Date.parse(retry_at) - now) / 1000), 1);
  if (state === "open")
    return `It gets no requests ${leftS > SECONDS_SHOWN_MAX ? `until ${formatTime(retry_at)}` : `for ${leftS} s`}.`;
  if (state === "half_open") return "It gets one request at a time until one succeeds.";
  return "Other agents come first.";
}
