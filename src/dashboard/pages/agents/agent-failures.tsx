import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatTime, formatWhole } from "../../format.ts";
import { countedRichText, countedText, text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";

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
    showToast(text("agents.failures.resetDone", { name }));
    onReset?.();
  };
  return (
    <>
      <ul class="agent-failures">
        {circuits.map((circuit) => (
          <li>
            {countedRichText("agents.failures.model", circuit.failures, {
              model: <span class="mono">{circuit.model}</span>,
              count: (
                <a
                  href={requestsHref({ agent: id, model: circuit.model, outcome: "failed", period: "24h" })}
                  aria-label={countedText("agents.failures.count", circuit.failures)}
                >
                  {formatWhole(circuit.failures)}
                </a>
              ),
              state: stateText(circuit, now),
              reason: circuit.reason,
            })}
          </li>
        ))}
      </ul>
      {onReset ? (
        <Button isSmall onClick={reset}>
          {text("agents.failures.reset")}
        </Button>
      ) : null}
    </>
  );
}

const SECONDS_SHOWN_MAX = 120;

function stateText({ state, retry_at }: Agent["circuits"][number], now: number): string {
  const leftS = Math.max(Math.ceil((Date.parse(retry_at) - now) / 1000), 1);
  if (state === "half_open") return text("agents.failures.oneByOne");
  if (state !== "open") return text("agents.failures.others");
  return leftS > SECONDS_SHOWN_MAX
    ? text("agents.failures.until", { time: formatTime(retry_at) })
    : text("agents.failures.for", { seconds: leftS });
}
