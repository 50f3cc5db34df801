import { api } from "../../api/api.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Select } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { type TextKey, text } from "../../texts/texts.ts";

/** How long the old token stays valid, in seconds. */
const GRACES: readonly { value: string; label: TextKey; note: TextKey }[] = [
  { value: "0", label: "connect.grace.none", note: "connect.grace.none.note" },
  { value: "600", label: "connect.grace.minutes", note: "connect.grace.minutes.note" },
  { value: "3600", label: "connect.grace.hour", note: "connect.grace.hour.note" },
  { value: "86400", label: "connect.grace.day", note: "connect.grace.day.note" },
  { value: "604800", label: "connect.grace.week", note: "connect.grace.week.note" },
];
const PRESET = "86400";

interface RotateDialogProps {
  /** Called with the new token, and with how long the old one stays valid. */
  onRotated: (token: string, note: string) => void;
  onClose: () => void;
}

/** Gives users a new token in place of their own. */
export function RotateDialog({ onRotated, onClose }: RotateDialogProps) {
  return (
    <Dialog title={text("connect.rotate.title")} onClose={onClose}>
      <Form
        submit={text("connect.rotate.submit")}
        onSubmit={async ({ grace = PRESET }) => {
          const { token } = await api.rotateOwnToken(Number(grace));
          const chosen = GRACES.find(({ value }) => value === grace);
          onRotated(token, chosen ? text(chosen.note) : "");
        }}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        <p>{text("connect.rotate.about")}</p>
        <Select
          label={text("connect.grace")}
          name="grace"
          value={PRESET}
          options={GRACES.map(({ value, label }) => ({ value, label: text(label) }))}
          hint={text("connect.grace.hint")}
        />
      </Form>
    </Dialog>
  );
}
