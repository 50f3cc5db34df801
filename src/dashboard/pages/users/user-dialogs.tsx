import { AMOUNT_FIELDS, LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api } from "../../api/api.ts";
import type { AddedUser, User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { richText, text } from "../../texts/texts.ts";
import { changesOf, EMPTY_FORM, formValuesOf, type UserFormValues } from "./user-form.ts";
import { labelOf } from "./user-text.ts";

interface AddProps {
  onAdded: (user: AddedUser) => void;
  onClose: () => void;
}

export function AddUserDialog({ onAdded, onClose }: AddProps) {
  return (
    <Dialog title={text("users.add")} onClose={onClose}>
      <Form
        submit={text("userDialog.add")}
        onSubmit={async (fields) => onAdded(await api.addUser(changesOf(EMPTY_FORM, fields)))}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        <UserFieldset values={EMPTY_FORM} />
      </Form>
    </Dialog>
  );
}

interface ChangeProps {
  user: User;
  onChanged: (user: User) => void;
  onClose: () => void;
}

export function ChangeUserDialog({ user, onChanged, onClose }: ChangeProps) {
  const before = formValuesOf(user);
  return (
    <Dialog title={text("userDialog.edit", { user: labelOf(user) })} onClose={onClose}>
      <Form
        submit={text("userDialog.save")}
        onSubmit={async (fields) => {
          const changes = changesOf(before, fields);
          if (Object.keys(changes).length > 0) onChanged(await api.changeUser(user.user_id, changes));
          else onClose();
        }}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        <UserFieldset values={before} />
      </Form>
    </Dialog>
  );
}

function UserFieldset({ values }: { values: UserFormValues }) {
  const { value: models } = useFetch((signal) => api.models(signal), []);
  const current = useStore(session);
  const currency = current.state === "in" ? current.who.currency : null;
  const available =
    models && models.length > 0 ? ` ${text("userForm.available", { models: shortList(models) })}` : "";
  return (
    // One element around the fields: rendering again when the models arrive must not replace the fields and
    // lose the focus.
    <div class="form">
      <Field
        label={text("userForm.name")}
        name="name"
        value={values.name}
        placeholder={text("userForm.name.placeholder")}
        autocomplete="off"
        isFocused
      />
      <Field
        label={text("userForm.models")}
        name="models"
        value={values.models}
        placeholder={text("userForm.models.placeholder")}
        autocomplete="off"
        hint={text("userForm.models.hint") + available}
      />
      <div class="fields-2">
        {LIMIT_FIELDS.map((name) => (
          <Limit key={name} label={USER_ATTRIBUTES[name].label} name={name} values={values} />
        ))}
        {AMOUNT_FIELDS.map((name) => (
          <Field
            key={name}
            label={budgetLabel(USER_ATTRIBUTES[name].label, currency)}
            name={name}
            value={values[name]}
            placeholder={text("userForm.noBudget")}
            autocomplete="off"
          />
        ))}
        <Field
          label={text("userForm.validUntil")}
          name="expires_at"
          type="datetime-local"
          value={values.expires_at}
          hint={text("userForm.validUntil.hint")}
        />
        <Select
          label={USER_ATTRIBUTES.priority.label}
          name="priority"
          value={values.priority}
          options={PRIORITY_OPTIONS}
          hint={text("userForm.priority.hint")}
        />
        <Field
          label={USER_ATTRIBUTES.agent_tags.label}
          name="agent_tags"
          value={values.agent_tags}
          placeholder={text("userForm.tags.placeholder")}
          autocomplete="off"
          hint={text("userForm.tags.hint")}
        />
      </div>
    </div>
  );
}

/** An empty text removes the priority, which then is `normal`. */
const PRIORITY_OPTIONS = [
  { value: "", label: text("userForm.priority.normal") },
  { value: "high", label: text("userForm.priority.high") },
  { value: "low", label: text("userForm.priority.low") },
];

/** Names of models can be long, and the hint must not be longer than the form. */
const NAMED_LENGTH_MAX = 160;

function shortList(models: readonly string[]): string {
  let length = 0;
  const short = models.filter((model) => {
    length += model.length + 2;
    return length <= NAMED_LENGTH_MAX;
  });
  const named = short.length > 0 ? short : models.slice(0, 1);
  const rest = models.length - named.length;
  const shown = named.join(", ");
  return rest > 0 ? text("userForm.andMore", { models: shown, count: rest }) : shown;
}

const budgetLabel = (label: string, currency: string | null) =>
  currency === null ? label : text("userForm.budget", { label, currency });

function Limit({
  label,
  name,
  values,
}: {
  label: string;
  name: keyof UserFormValues;
  values: UserFormValues;
}) {
  return (
    <Field
      label={label}
      name={name}
      type="number"
      min={1}
      value={values[name]}
      placeholder={text("userForm.noLimit")}
    />
  );
}

interface DisableProps {
  user: User;
  onDisabled: (user: User) => void;
  onClose: () => void;
}

export function DisableDialog({ user, onDisabled, onClose }: DisableProps) {
  return (
    <ConfirmDialog
      title={text("userDialog.disableTitle", { user: labelOf(user) })}
      action={text("userDialog.disable")}
      onConfirm={async () => onDisabled(await api.disableUser(user.user_id))}
      onClose={onClose}
    >
      <p>{richText("userDialog.disableText", { user: <b>{labelOf(user)}</b> })}</p>
    </ConfirmDialog>
  );
}

interface DeleteProps {
  user: User;
  onDeleted: () => void;
  onClose: () => void;
}

export function DeleteDialog({ user, onDeleted, onClose }: DeleteProps) {
  return (
    <ConfirmDialog
      title={text("userDialog.deleteTitle", { user: labelOf(user) })}
      action={text("userDialog.delete", { user: labelOf(user) })}
      onConfirm={async () => {
        await api.deleteUser(user.user_id);
        onDeleted();
      }}
      onClose={onClose}
    >
      <p>
        {richText("userDialog.deleteText", {
          user: <b>{labelOf(user)}</b>,
          id: <span class="mono">{user.user_id}</span>,
        })}
      </p>
    </ConfirmDialog>
  );
}
