import { type AgentKeyFields, api } from "../../api/api.ts";
import type { AddedAgentKey } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { readNameList } from "../../name-list.ts";
import { useState } from "../../state/hooks.ts";
import { serverUrl } from "../../state/server-url.ts";
import { EMPTY_KEY_FORM, keyChangesOf } from "./key-form.ts";
import { findOwner, KeyPreferenceFields } from "./key-preference-fields.tsx";

interface AddKeyDialogProps {
  onAdded: () => void;
  onClose: () => void;
}

export function AddKeyDialog({ onAdded, onClose }: AddKeyDialogProps) {
  const [added, setAdded] = useState<AddedAgentKey | undefined>(undefined);
  const add = async ({ name = "", models = "", ...fields }: Record<string, string>) => {
    setAdded(await addKey(name, models, await keyChangesOf(EMPTY_KEY_FORM, fields, findOwner)));
    onAdded();
  };
  return (
    <Dialog title={added ? `Agent key “${added.name}”` : "Create an agent key"} onClose={onClose}>
      {added ? (
        <CreatedKey added={added} onClose={onClose} />
      ) : (
        <Form submit="Create key" onSubmit={add} actions={<Button onClick={onClose}>Cancel</Button>}>
          <KeyFields />
          <KeyPreferenceFields values={EMPTY_KEY_FORM} />
        </Form>
      )}
    </Dialog>
  );
}

export function addKey(name: string, models: string, fields: AgentKeyFields = {}): Promise<AddedAgentKey> {
  const names = readNameList(models);
  return api.addAgentKey({ name, ...(names && { models: names }), ...fields });
}

/** The form fields `name` and `models`. */
export function KeyFields({ name }: { name?: string }) {
  return (
    <>
      <Field
        label="Name"
        name="name"
        value={name ?? ""}
        required
        isFocused={name === undefined}
        autocomplete="off"
        hint="The name shown in lists and logs, such as gpu box."
      />
      <ModelsField />
    </>
  );
}

/** The form field `models`. */
export function ModelsField() {
  return (
    <Field
      label="Models (optional)"
      name="models"
      autocomplete="off"
      hint="Agents with this key offer only these models. Separate names with commas. Leave empty to allow all models."
    />
  );
}

function CreatedKey({ added: { key }, onClose }: { added: AddedAgentKey; onClose: () => void }) {
  return (
    <div class="form">
      <Notice tone="warn">
        Copy the key now. It is shown only once, because the server keeps only its hash. If you lose it,
        revoke it and create another one.
      </Notice>
      <CopyField text={key} what="the key" />
      <p class="label">Server address that contains the key, for agents</p>
      <CopyField text={`${serverUrl()}/agents/${key}`} what="the address" />
      <div class="form-actions">
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
