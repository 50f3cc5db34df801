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
import { text } from "../../texts/texts.ts";
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
    <Dialog
      title={added ? text("agentKeys.createdTitle", { name: added.name }) : text("agentKeys.createTitle")}
      onClose={onClose}
    >
      {added ? (
        <CreatedKey added={added} onClose={onClose} />
      ) : (
        <Form
          submit={text("agentKeys.createSubmit")}
          onSubmit={add}
          actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
        >
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
        label={text("agentKeys.name")}
        name="name"
        value={name ?? ""}
        required
        isFocused={name === undefined}
        autocomplete="off"
        hint={text("agentKeys.name.hint")}
      />
      <ModelsField />
    </>
  );
}

/** The form field `models`. */
export function ModelsField() {
  return (
    <Field
      label={text("agentKeys.modelsField")}
      name="models"
      placeholder={text("agentKeys.allModels")}
      autocomplete="off"
      hint={text("agentKeys.modelsField.hint")}
    />
  );
}

function CreatedKey({ added: { key }, onClose }: { added: AddedAgentKey; onClose: () => void }) {
  return (
    <div class="form">
      <Notice tone="warn">{text("agentKeys.copyNow")}</Notice>
      <CopyField text={key} what={text("agentKeys.what.key")} />
      <p class="label">{text("agentKeys.addressWithKey")}</p>
      <CopyField text={`${serverUrl()}/agents/${key}`} what={text("agentKeys.what.address")} />
      <div class="form-actions">
        <Button kind="primary" onClick={onClose}>
          {text("dialog.done")}
        </Button>
      </div>
    </div>
  );
}
