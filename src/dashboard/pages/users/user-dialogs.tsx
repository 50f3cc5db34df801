import { api } from "../../api/api.ts";
import type { AddedUser, RotatedToken, User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { useFetch } from "../../state/use-fetch.ts";
import { labelOf } from "./user-filter.ts";
import { changesOf, EMPTY_FORM, formValuesOf, type UserFormValues } from "./user-form.ts";

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
        <UserFieldset texts={EMPTY_FORM} />
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
    <Dialog title={`Change ${labelOf(user)}`} onClose={onClose}>
      <Form
        submit="Change"
        onSubmit={async (fields) => {
          const changes = changesOf(before, fields);
          if (Object.keys(changes).length > 0) onChanged(await api.changeUser(user.user_id, changes));
          else onClose();
        }}
        actions={<Button onClick={onClose}>Cancel</Button>}
      >
        <UserFieldset texts={before} />
      </Form>
    </Dialog>
  );
}

function UserFieldset({ texts }: { texts: UserFormValues }) {
  const { value: models } = useFetch((signal) => api.models(signal), []);
  const offered = models && models.length > 0 ? ` Offered now: ${fewOf(models)}.` : "";
  return (
    // One element of its own: drawn again when the models are known, it must not take the fields out and with them the focus.
    <div class="form">
      <Field label="Name" name="name" value={texts.name} placeholder="Ann" autocomplete="off" isFocused />
      <Field
        label="Models"
        name="models"
        value={texts.models}
        placeholder="every model"
        autocomplete="off"
        hint={`With commas between them; empty for every model.${offered}`}
      />
      <div class="fields-2">
        <Limit label="Asks a minute" name="requests_per_minute" texts={texts} />
        <Limit label="Tokens a day" name="tokens_per_day" texts={texts} />
        <Limit label="Asks at once" name="max_parallel" texts={texts} />
        <Field
          label="Valid until"
          name="expires_at"
          type="datetime-local"
          value={texts.expires_at}
          hint="In your time zone; empty for no end."
        />
      </div>
    </div>
  );
}

const NAMED_MAX = 8;

function fewOf(models: readonly string[]): string {
  const rest = models.length - NAMED_MAX;
  return `${models.slice(0, NAMED_MAX).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function Limit({ label, name, texts }: { label: string; name: keyof UserFormValues; texts: UserFormValues }) {
  return <Field label={label} name={name} type="number" min={1} value={texts[name]} placeholder="no limit" />;
}

const GRACES = [
  { value: "0", label: "ends at once" },
  { value: "600", label: "is valid for 10 minutes more" },
  { value: "3600", label: "is valid for an hour more" },
  { value: "86400", label: "is valid for a day more" },
  { value: "604800", label: "is valid for a week more" },
];

interface RotateProps {
  user: User;
  /** `note` says what becomes of the old token. */
  onRotated: (rotated: RotatedToken, note: string) => void;
  onClose: () => void;
}

export function RotateDialog({ user, onRotated, onClose }: RotateProps) {
  return (
    <Dialog title={`A new token for ${labelOf(user)}`} onClose={onClose}>
      <Form
        submit="Rotate"
        onSubmit={async ({ grace = "0" }) => {
          const rotated = await api.rotateUser(user.user_id, Number(grace));
          onRotated(rotated, `The old one ${GRACES.find(({ value }) => value === grace)?.label ?? ""}.`);
        }}
        actions={<Button onClick={onClose}>Cancel</Button>}
      >
        <Select
          label="The old token"
          name="grace"
          value="0"
          options={GRACES}
          hint="After a leak let it end at once, and with it what it has running; else leave time to turn it."
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
        The token of <b>{labelOf(user)}</b> is refused until you enable the user again, and what it has
        running ends at once.
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
        The token of <b>{labelOf(user)}</b> (<span class="mono">{user.user_id}</span>) is refused from then
        on, what it has running ends, and the conversations are forgotten. The figures of the usage stay. This
        cannot be taken back; to keep the user out for a while only, disable the user.
      </p>
    </ConfirmDialog>
  );
}
