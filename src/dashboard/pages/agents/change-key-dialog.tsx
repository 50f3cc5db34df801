import { api } from "../../api/api.ts";
import type { AgentKey } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Form } from "../../components/form.tsx";
import { text } from "../../texts/texts.ts";
import { keyChangesOf, keyFormValuesOf } from "./key-form.ts";
import { findOwner, KeyPreferenceFields } from "./key-preference-fields.tsx";

interface ChangeKeyDialogProps {
  agentKey: AgentKey;
  onChanged: (key: AgentKey) => void;
  onClose: () => void;
}

/** Changes how agents with a key are chosen. */
export function ChangeKeyDialog({ agentKey, onChanged, onClose }: ChangeKeyDialogProps) {
  const before = keyFormValuesOf(agentKey);
  const change = async (fields: Record<string, string>) => {
    const changes = await keyChangesOf(before, fields, findOwner);
    if (Object.keys(changes).length > 0) onChanged(await api.changeAgentKey(agentKey.id, changes));
    else onClose();
  };
  return (
    <Dialog title={text("agentKeys.edit.title", { name: agentKey.name })} onClose={onClose}>
      <Form
        submit={text("agentKeys.edit.submit")}
        onSubmit={change}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        <p class="muted">{text("agentKeys.edit.about")}</p>
        <KeyPreferenceFields values={before} />
      </Form>
    </Dialog>
  );
}
