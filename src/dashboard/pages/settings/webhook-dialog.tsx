import { api } from "../../api/api.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { showToast } from "../../components/toast.tsx";
import { useState } from "../../state/hooks.ts";
import { type TextKey, text } from "../../texts/texts.ts";
import type { ChangeProps } from "./change-setting-dialog.tsx";
import { FORMATS, readWebhook, SEVERITIES } from "./webhook.ts";

const optionsOf = (names: Readonly<Record<string, TextKey>>) =>
  Object.entries(names).map(([value, label]) => ({ value, label: text(label) }));

/**
 * Changes the webhook of the alerts. The server shows neither its address nor its secret, so both are entered again with
 * each change.
 */
export function WebhookDialog({ setting, change, onClose }: ChangeProps) {
  const { hasUrl, hasSecret } = readWebhook(setting.current);
  // What was chosen stays when the settings are read again.
  const [{ format, severity }] = useState(readWebhook(setting.current));
  const save = (value: unknown) => change({ [setting.name]: value });
  const changeTo = async (value: unknown) => {
    await save(value);
    showToast(text("settings.changed", { label: setting.label }));
    onClose();
  };
  const submit = (fields: Record<string, string>) => changeTo(typedWebhook(fields));
  /** Saves first what was typed, as only the webhook in force can be tested. */
  const test = async (fields: Record<string, string>) => {
    if (fields["url"] !== "" || fields["secret"] !== "" || !hasUrl) await save(typedWebhook(fields));
    await sendTest();
  };
  const none = { url: null, secret: null, format, severity };
  return (
    <Dialog title={text("webhook.title")} onClose={onClose}>
      <p class="muted">{text("webhook.about")}</p>
      <Form
        submit={text("settings.save")}
        onSubmit={submit}
        other={{ label: text("webhook.test"), onSubmit: test }}
        actions={
          <>
            {hasUrl ? <Button onClick={() => changeTo(none)}>{text("webhook.remove")}</Button> : null}
            {setting.from === "database" ? (
              <Button kind="quiet" onClick={() => changeTo(null)}>
                {text("webhook.reset")}
              </Button>
            ) : null}
            <Button onClick={onClose}>{text("dialog.cancel")}</Button>
          </>
        }
      >
        <Field
          label={text("webhook.url")}
          name="url"
          placeholder={text("webhook.url.placeholder")}
          hint={text(hasUrl ? "webhook.url.again" : "webhook.url.hint")}
          isFocused
        />
        <Field
          label={text("webhook.secret")}
          name="secret"
          type="password"
          autocomplete="off"
          hint={text(hasSecret ? "webhook.secret.again" : "webhook.secret.hint")}
        />
        <Select label={text("webhook.format")} name="format" value={format} options={optionsOf(FORMATS)} />
        <Select
          label={text("webhook.severity")}
          name="severity"
          value={severity}
          options={optionsOf(SEVERITIES)}
        />
      </Form>
    </Dialog>
  );
}

/** Returns the setting as it was typed. Throws without an address. */
function typedWebhook({ url = "", secret = "", ...rest }: Record<string, string>) {
  if (url === "") throw new Error(text("webhook.url.missing"));
  return { url, secret: secret === "" ? null : secret, ...rest };
}

/** Sends a test message to the webhook in force, and says what became of it. */
async function sendTest(): Promise<void> {
  const { delivered, status, answer } = await api.testWebhook();
  if (delivered) showToast(text("webhook.test.delivered"));
  else if (status === null) showToast(text("webhook.test.unanswered", { reason: answer }), "bad");
  else showToast(text("webhook.test.failed", { status, answer }), "bad");
}
