import { useState } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AddedAgentKey } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { readNameList } from "../../name-list.ts";

interface AddKeyDialogProps {
  onAdded: () => void;
  onClose: () => void;
}

export function AddKeyDialog({ onAdded, onClose }: AddKeyDialogProps) {
  const [added, setAdded] = useState<AddedAgentKey | undefined>(undefined);
  const add = async ({ name = "", models = "" }: Record<string, string>) => {
    setAdded(await addKey(name, models));
    onAdded();
  };
  return (
    <Dialog title={added ? `The key “${added.name}”` : "Make a key for agents"} onClose={onClose}>
      {added ? (
        <MadeKey added={added} onClose={onClose} />
      ) : (
        <Form submit="Make the key" onSubmit={add} actions={<Button onClick={onClose}>Cancel</Button>}>
          <KeyFields />
        </Form>
      )}
    </Dialog>
  );
}

export function addKey(name: string, models: string): Promise<AddedAgentKey> {
  const names = readNameList(models);
  return api.addAgentKey({ name, ...(names && { models: names }) });
}

/** `name` and `models` of a form. */
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
        hint="How lists and the log call it, such as gpu box."
      />
      <Field
        label="Models (optional)"
        name="models"
        autocomplete="off"
        hint="Its agents then offer only these, separated by commas. Empty: all that they have."
      />
    </>
  );
}

function MadeKey({ added: { key }, onClose }: { added: AddedAgentKey; onClose: () => void }) {
  return (
    <div class="form">
      <Notice tone="warn">
        Copy it now: it is shown this once, as the server keeps only its hash. If it is lost, revoke it and
        make another one.
      </Notice>
      <CopyField text={key} what="the key" />
      <p class="label">In an agent's address</p>
      <CopyField text={`${location.origin}/agents/${key}`} what="the address" />
      <div class="form-actions">
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
