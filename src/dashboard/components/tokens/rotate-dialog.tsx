import type { Child } from "hono/jsx/dom";
import { type TextKey, text } from "../../texts/texts.ts";
import { Button } from "../button.tsx";
import { Dialog } from "../dialog.tsx";
import { Select } from "../field.tsx";
import { Form } from "../form.tsx";

/** How long the old token stays valid, in seconds, and what is said about it afterwards. */
const GRACES: readonly { value: string; label: TextKey; note: TextKey }[] = [
  { value: "0", label: "rotateDialog.none", note: "rotateDialog.none.note" },
  { value: "600", label: "rotateDialog.minutes", note: "rotateDialog.minutes.note" },
  { value: "3600", label: "rotateDialog.hour", note: "rotateDialog.hour.note" },
  { value: "86400", label: "rotateDialog.day", note: "rotateDialog.day.note" },
  { value: "604800", label: "rotateDialog.week", note: "rotateDialog.week.note" },
];
const PRESET = "86400";

interface RotateDialogProps {
  title: string;
  /** Makes the new token. The old one stays valid for `graceS` seconds, as `note` says. */
  onRotate: (graceS: number, note: string) => Promise<void>;
  onClose: () => void;
  /** Shown above the choice. */
  children?: Child;
}

/** Asks how long the old token of a user stays valid when they get a new one. */
export function RotateDialog({ title, onRotate, onClose, children }: RotateDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        submit={text("rotateDialog.submit")}
        onSubmit={({ grace = PRESET }) => {
          const chosen = GRACES.find(({ value }) => value === grace);
          return onRotate(Number(grace), chosen ? text(chosen.note) : "");
        }}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        {children}
        <Select
          label={text("rotateDialog.oldToken")}
          name="grace"
          value={PRESET}
          options={GRACES.map(({ value, label }) => ({ value, label: text(label) }))}
          hint={text("rotateDialog.oldToken.hint")}
        />
      </Form>
    </Dialog>
  );
}
