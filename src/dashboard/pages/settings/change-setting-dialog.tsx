import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { showToast } from "../../components/toast.tsx";
import { useState } from "../../state/hooks.ts";
import type { SettingsState } from "../../state/use-settings.ts";
import { text } from "../../texts/texts.ts";
import { numberForm, numberValue, type Setting } from "./setting-row.ts";

export interface ChangeProps {
  setting: Setting;
  change: SettingsState["change"];
  onClose: () => void;
}

/** Changes a number, or takes a change back. */
export function ChangeSettingDialog({ setting, change, onClose }: ChangeProps) {
  const { name, label, about, from } = setting;
  const form = numberForm(setting);
  // What was typed stays when the settings are read again.
  const [first] = useState(form?.value ?? "");
  const changeTo = async (value: unknown) => {
    await change({ [name]: value });
    showToast(text("settings.changed", { label }));
    onClose();
  };
  const submit = ({ value = "" }: Record<string, string>) => {
    const number = numberValue(value, form?.isDuration ?? false);
    if (number === undefined) throw new Error(text("settings.number"));
    return changeTo(number);
  };
  const reset =
    from === "database" ? (
      <Button onClick={() => changeTo(null)}>
        {text("settings.reset", { value: shown(setting.default, form?.isDuration) })}
      </Button>
    ) : null;
  return (
    <Dialog title={text("settings.change.title", { label })} onClose={onClose}>
      <p class="muted">{about}</p>
      <Form
        submit={text("settings.save")}
        onSubmit={submit}
        actions={
          <>
            {reset}
            <Button onClick={onClose}>{text("dialog.cancel")}</Button>
          </>
        }
      >
        <Field
          label={text(form?.isDuration ? "settings.seconds" : "settings.value")}
          name="value"
          type="text"
          value={first}
          hint={text("settings.inForce")}
          isFocused
        />
      </Form>
    </Dialog>
  );
}

function shown(value: unknown, isDuration = false): string {
  const form = numberForm({ name: isDuration ? "Ms" : "", current: value });
  return form ? `${form.value}${isDuration ? " s" : ""}` : "";
}
