import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { RadioCards } from "../../components/radio-cards.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatCount } from "../../format.ts";
import { useState } from "../../state/hooks.ts";

type Mode = "drain" | "now";

interface DisconnectDialogProps {
  agent: Agent;
  onDone: () => void;
  onClose: () => void;
}

/** Without running requests there is nothing to choose: the agent is disconnected at once in either mode. */
export function DisconnectDialog({ agent, onDone, onClose }: DisconnectDialogProps) {
  const { id, name, key, in_use } = agent;
  const [mode, setMode] = useState<Mode>("drain");
  const requests = formatCount(in_use, "running request");
  const disconnect = async () => {
    const { state } = await api.disconnectAgent(id, mode === "drain");
    showToast(state === "closed" ? `${name} was disconnected.` : `${name} is draining.`);
    onDone();
  };
  return (
    <ConfirmDialog
      title={`Disconnect ${name}?`}
      action={in_use > 0 && mode === "drain" ? "Drain" : "Disconnect"}
      onConfirm={disconnect}
      onClose={onClose}
    >
      {in_use > 0 ? (
        <RadioCards
          legend={`The agent has ${requests}.`}
          name="mode"
          isList
          value={mode}
          onChoose={setMode}
          options={[
            {
              value: "drain",
              title: "Drain",
              about: `The agent gets no new requests, finishes its ${requests}, and is then disconnected.`,
            },
            {
              value: "now",
              title: "Disconnect at once",
              about: "Its requests move to another agent, or fail if their response has started.",
            },
          ]}
        />
      ) : (
        <p>The agent has no running requests, so its connection is closed at once.</p>
      )}
      <p class="muted">
        The agent is told not to reconnect. If it is restarted, it can connect again.
        {key === null || key === "main" ? "" : ` To keep it out, revoke its key “${key}”.`}
      </p>
    </ConfirmDialog>
  );
}
