import { api } from "../../api/api.ts";
import { ApiError } from "../../api/request.ts";
import type { SettingsAnswer } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { showToast } from "../../components/toast.tsx";
import { text } from "../../texts/texts.ts";
import { numberForm, numberValue, type Setting } from "./setting-row.ts";

export interface ChangeProps {
  setting: Setting;
  /** The `ETag` of the answer that the page shows. */
  tag: string | null;
  onChanged: (answer: SettingsAnswer, tag: string | null) => void;
  onClose: () => void;
}

/** Changes a number, or takes a change back. */
export function ChangeSettingDialog({ setting, tag, onChanged, onClose }: ChangeProps) {
  const { name, label, about, from } = setting;
  const form = numberForm(setting);
  const change = async (value: unknown) => {
    const { answer, tag: newTag } = await changeSetting(name, value, tag);
    onChanged(answer, newTag);
    showToast(text("settings.changed", { label }));
    onClose();
  };
  const submit = ({ value = "" }: Record<string, string>) => {
    const number = numberValue(value, form?.isDuration ?? false);
    if (number === undefined) throw new Error(text("settings.number"));
    return change(number);
  };
  const reset =
    from === "database" ? (
      <Button onClick={() => change(null)}>
        {text("settings.reset", { value: shown(setting.default, form?.isDuration) })}
      </Button>
    ) : null;
  return (
    <Dialog title={text("settings.change.title", { label })} onClose={onClose}>
      <p class="muted">{about}</p>
      <Form submit={text("settings.save")} onSubmit={submit} actions={reset}>
        <Field
          label={text(form?.isDuration ? "settings.seconds" : "settings.value")}
          name="value"
          type="text"
          value={form?.value ?? ""}
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

export async function changeSetting(name: string, value: unknown, tag: string | null) {
  try {
    return await api.changeSettings({ [name]: value }, tag);
  } catch (error) {
    if (error instanceof ApiError && error.status === 412) throw new Error(text("settings.conflict"));
    throw error;
  }
}
