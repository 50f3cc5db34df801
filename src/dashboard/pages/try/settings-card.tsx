import { Card } from "../../components/card.tsx";
import { Checkbox, Field, TextArea } from "../../components/field.tsx";
import { type TextKey, text } from "../../texts/texts.ts";
import { NUMBERS, type NumberField, readNumber } from "./chat/request.ts";
import type { ChatSettings } from "./chat/types.ts";
import { changeSettings } from "./try-state.ts";

const FIELDS: Record<NumberField, { label: TextKey; error: TextKey }> = {
  temperature: { label: "try.settings.temperature", error: "try.settings.temperature.error" },
  topP: { label: "try.settings.topP", error: "try.settings.topP.error" },
  maxTokens: { label: "try.settings.maxTokens", error: "try.settings.maxTokens.error" },
};

/** The system message and the parameters. What is left empty is not sent, so that the model's own value counts. */
export function SettingsCard({ settings }: { settings: ChatSettings }) {
  return (
    <Card title={text("try.settings.title")}>
      <div class="stack">
        <TextArea
          label={text("try.settings.system")}
          hint={text("try.settings.system.hint")}
          name="system"
          rows={3}
          value={settings.system}
          onInput={(system) => changeSettings({ system })}
        />
        <div class="fields-3">
          {(Object.keys(FIELDS) as NumberField[]).map((field) => (
            <NumberSetting key={field} field={field} settings={settings} />
          ))}
        </div>
        <TextArea
          label={text("try.settings.stop")}
          hint={text("try.settings.stop.hint")}
          name="stop"
          rows={1}
          value={settings.stop}
          onInput={(stop) => changeSettings({ stop })}
        />
        <Checkbox
          label={text("try.settings.json")}
          name="json"
          isChecked={settings.isJson}
          onInput={(isJson) => changeSettings({ isJson })}
        />
        <p class="hint">{text("try.settings.hint")}</p>
      </div>
    </Card>
  );
}

function NumberSetting({ field, settings }: { field: NumberField; settings: ChatSettings }) {
  const { label, error } = FIELDS[field];
  const isWrong = settings[field].trim() !== "" && readNumber(field, settings) === undefined;
  const { min, max } = NUMBERS[field];
  return (
    <Field
      label={text(label)}
      name={field}
      value={settings[field]}
      placeholder={text("try.settings.default")}
      error={isWrong ? text(error, { min, max }) : undefined}
      onInput={(value) => changeSettings({ [field]: value })}
    />
  );
}
