import { useState } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { RadioCards } from "../../components/radio-cards.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatCount } from "../../format.ts";

type Way = "drain" | "now";

interface DisconnectDialogProps {
  agent: Agent;
  onDone: () => void;
  onClose: () => void;
}

/** Without running asks there is nothing to choose: it goes at once either way. */
export function DisconnectDialog({ agent, onDone, onClose }: DisconnectDialogProps) {
  const { id, name, key, in_use } = agent;
  const [way, setWay] = useState<Way>("drain");
  const asks = formatCount(in_use, "running ask");
  const disconnect = async () => {
    const { state } = await api.disconnectAgent(id, way === "drain");
    showToast(state === "closed" ? `${name} is disconnected.` : `${name} is draining.`);
    onDone();
  };
  return (
    <ConfirmDialog
      title={`Disconnect ${name}?`}
      action={in_use > 0 && way === "drain" ? "Drain" : "Disconnect"}
      onConfirm={disconnect}
      onClose={onClose}
    >
      {in_use > 0 ? (
        <RadioCards
          legend={`It has ${asks}.`}
          name="way"
          isList
          value={way}
          onChoose={setWay}
          options={[
            {
              value: "drain",
              title: "Drain it",
              about: `It gets nothing new, finishes its ${asks}, and is disconnected then.`,
            },
            {
              value: "now",
              title: "Disconnect it at once",
              about: "Its asks move to another agent, or fail where their answer has begun.",
            },
          ]}
        />
      ) : (
        <p>It has no running ask, so its connection is closed at once.</p>
      )}
      <p class="muted">
        It is told to stay away. When it is started anew it may register again
        {key === null ? "." : key === "main" ? "." : `; revoke its key “${key}” to keep it out.`}
      </p>
    </ConfirmDialog>
  );
}
