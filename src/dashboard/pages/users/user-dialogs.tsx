import { LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api } from "../../api/api.ts";
import type { AddedUser, RotatedToken, User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { useFetch } from "../../state/use-fetch.ts";
import { changesOf, EMPTY_FORM, formValuesOf, type UserFormValues } from "./user-form.ts";
import { labelOf } from "./user-text.ts";

interface AddProps {
  onAdded: (user: AddedUser) => void;
  onClose: () => void;
}

export function AddUserDialog({ onAdded, onClose }: AddProps) {
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <Form
        submit="Add"
        onSubmit={async (fields) => onAdded(await api.addUser(changesOf(EMPTY_FORM, fields)))}
        actions={<Button onClick={onClose}>Cancel</Button>}
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
    <Dialog title={`Edit ${labelOf(user)}`} onClose={onClose}>
      <Form
        submit="Save"
        onSubmit={async (fields) => {
          const changes = changesOf(before, fields);
          if (Object.keys(changes).length > 0) onChanged(await api.changeUser(user.user_id, changes));
          else onClose();
        }}
        actions={<Button onClick={onClose}>Cancel</Button>}
      >
        <UserFieldset values={before} />
      </Form>
    </Dialog>
  );
}

function UserFieldset({ values }: { values: UserFormValues }) {
  const { value: models } = useFetch((signal) => api.models(signal), []);
  const available = models && models.length > 0 ? ` Available now: ${shortList(models)}.` : "";
  return (
    // One element around the fields: rendering again when the models arrive must not replace the fields and
    // lose the focus.
    <div class="form">
      <Field label="Name" name="name" value={values.name} placeholder="Ann" autocomplete="off" isFocused />
      <Field
        label="Models"
        name="models"
        value={values.models}
        placeholder="all models"
        autocomplete="off"
        hint={`Separate names with commas. Leave empty to allow all models.${available}`}
      />
      <div class="fields-2">
        {LIMIT_FIELDS.map((name) => (
          <Limit key={name} label={USER_ATTRIBUTES[name].label} name={name} values={values} />
        ))}
        <Field
          label="Valid until"
          name="expires_at"
          type="datetime-local"
          value={values.expires_at}
          hint="In your time zone. Leave empty for no expiry date."
        />
        <Select
          label={USER_ATTRIBUTES.priority.label}
          name="priority"
          value={values.priority}
          options={PRIORITY_OPTIONS}
          hint="How often waiting requests have their turn."
        />
        <Field
          label={USER_ATTRIBUTES.agent_tags.label}
          name="agent_tags"
          value={values.agent_tags}
          placeholder="all agents"
          autocomplete="off"
          hint="Requests go only to agents with one of these tags. Separate tags with commas."
        />
      </div>
    </div>
  );
}

/** An empty text removes the priority, which then is `normal`. */
const PRIORITY_OPTIONS = [
  { value: "", label: "normal" },
  { value: "high", label: "high" },
  { value: "low", label: "low" },
];

const NAMED_MAX = 8;

function shortList(models: readonly string[]): string {
  const rest = models.length - NAMED_MAX;
  return `${models.slice(0, NAMED_MAX).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

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
    <Field label={label} name={name} type="number" min={1} value={values[name]} placeholder="no limit" />
  );
}

const GRACES = [
  { value: "0", label: "expires at once" },
  { value: "600", label: "stays valid for 10 minutes" },
  { value: "3600", label: "stays valid for 1 hour" },
  { value: "86400", label: "stays valid for 1 day" },
  { value: "604800", label: "stays valid for 1 week" },
];

interface RotateProps {
  user: User;
  /** `note` says how long the old token stays valid. */
  onRotated: (rotated: RotatedToken, note: string) => void;
  onClose: () => void;
}

export function RotateDialog({ user, onRotated, onClose }: RotateProps) {
  return (
    <Dialog title={`Rotate the token of ${labelOf(user)}`} onClose={onClose}>
      <Form
        submit="Rotate"
        onSubmit={async ({ grace = "86400" }) => {
          const rotated = await api.rotateUser(user.user_id, Number(grace));
          onRotated(rotated, `The old token ${GRACES.find(({ value }) => value === grace)?.label ?? ""}.`);
        }}
        actions={<Button onClick={onClose}>Cancel</Button>}
      >
        <Select
          label="Old token"
          name="grace"
          value="86400"
          options={GRACES}
          hint="If the token has leaked, let it expire at once, which also cancels its running requests. Otherwise leave enough time to replace it."
        />
      </Form>
    </Dialog>
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
      title={`Disable ${labelOf(user)}?`}
      action="Disable"
      onConfirm={async () => onDisabled(await api.disableUser(user.user_id))}
      onClose={onClose}
    >
      <p>
        The token of <b>{labelOf(user)}</b> is refused until you enable the user again. Running requests are
        canceled at once.
      </p>
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
      title={`Delete ${labelOf(user)}?`}
      action={`Delete ${labelOf(user)}`}
      onConfirm={async () => {
        await api.deleteUser(user.user_id);
        onDeleted();
      }}
      onClose={onClose}
    >
      <p>
        This deletes <b>{labelOf(user)}</b> (<span class="mono">{user.user_id}</span>) with their token and
        conversations, and cancels their running requests. Their usage is kept. You cannot undo this. To lock
        the user out temporarily, disable the user instead.
      </p>
    </ConfirmDialog>
  );
}
