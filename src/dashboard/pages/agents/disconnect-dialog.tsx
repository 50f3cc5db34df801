import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { RadioCards } from "../../components/radio-cards.tsx";
import { showToast } from "../../components/toast.tsx";
import { useState } from "../../state/hooks.ts";
import { countedText, text } from "../../texts/texts.ts";

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

  const disconnect = async () => {
    const { state } = await api.disconnectAgent(id, mode === "drain");
    showToast(text(state === "closed" ? "agents.leave.closed" : "agents.leave.drained", { name }));
    onDone();
  };
  return (
    <ConfirmDialog
      title={text("agents.leave.title", { name })}
      action={text(in_use > 0 && mode === "drain" ? "agents.leave.drain" : "agents.disconnect")}
      onConfirm={disconnect}
      onClose={onClose}
    >
      {in_use > 0 ? (
        <RadioCards
          legend={countedText("agents.leave.running", in_use)}
          name="mode"
          isList
          value={mode}
          onChoose={setMode}
          options={[
            {
              value: "drain",
              title: text("agents.leave.drain"),
              about: countedText("agents.leave.drain.about", in_use),
            },
            {
              value: "now",
              title: text("agents.leave.now"),
              about: text("agents.leave.now.about"),
            },
          ]}
        />
      ) : (
        <p>{text("agents.leave.idle")}</p>
      )}
      <p class="muted">
        {text("agents.leave.about")}{" "}
        {key === null || key === "main" ? "" : text("agents.leave.keepOut", { key })}
      </p>
    </ConfirmDialog>
  );
}
