import { printable } from "../../../../printable.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/card.tsx";
import { Combobox } from "../../../components/combobox/combobox.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { Field } from "../../../components/field.tsx";
import { Form } from "../../../components/form.tsx";
import { showToast } from "../../../components/toast.tsx";
import { useState } from "../../../state/hooks.ts";
import { text } from "../../../texts/texts.ts";
import { isOffered } from "./offered.ts";
import { type ModelNames, type NamesProps, without } from "./use-model-settings.ts";

interface AliasDialogProps extends NamesProps {
  /** The alias to edit, as it was when the dialog was opened; undefined for a new one. */
  alias: readonly [name: string, model: string] | undefined;
  onClose: () => void;
}

/** Adds an alias, or edits one. What was typed stays if somebody else has changed the settings meanwhile. */
export function AliasDialog({ settings, offered, alias, onClose }: AliasDialogProps) {
  const [before = "", modelBefore = ""] = alias ?? [];
  const [name, setName] = useState(before);
  const [model, setModel] = useState(modelBefore);
  const now = settings.current?.modelAliases ?? {};
  const meanwhile = alias && Object.hasOwn(now, before) ? now[before] : undefined;
  return (
    <Dialog title={text(alias ? "models.alias.edit.title" : "models.alias.add")} onClose={onClose}>
      <Form
        submit={text(alias ? "models.save" : "models.add")}
        onSubmit={async (fields) => {
          const [newName, newModel] = [fields["alias"] ?? "", fields["model"] ?? ""];
          await settings.change((names) => changed(names, { before, name: newName, model: newModel }));
          showToast(text("models.alias.saved", { name: printable(newName), model: printable(newModel) }));
          onClose();
        }}
        actions={<Button onClick={onClose}>{text("models.cancel")}</Button>}
      >
        {meanwhile !== undefined && meanwhile !== modelBefore ? (
          <Notice tone="warn">{text("models.alias.leadsNow", { model: printable(meanwhile) })}</Notice>
        ) : null}
        {alias && meanwhile === undefined ? (
          <Notice tone="warn">{text("models.alias.goneNow")}</Notice>
        ) : null}
        <Field
          label={text("models.alias")}
          name="alias"
          value={before}
          placeholder={text("models.alias.example")}
          autocomplete="off"
          required
          isFocused={!alias}
          hint={offered.includes(name.trim()) ? text("models.alias.hidesHint") : text("models.alias.hint")}
          onInput={setName}
        />
        <Combobox
          label={text("models.column.model")}
          name="model"
          value={modelBefore}
          options={offered.map((value) => ({ value }))}
          isFree
          required
          isFocused={Boolean(alias)}
          hint={modelHint(model.trim(), offered)}
          onChoose={setModel}
          onInput={setModel}
        />
      </Form>
    </Dialog>
  );
}

function modelHint(model: string, offered: readonly string[]): string {
  if (model !== "" && !isOffered(model, offered)) return text("models.notOfferedHint");
  return text("models.chooseHint");
}

/** Returns the aliases with a new one, or with another one in place of `before`. Throws for a name that is taken. */
function changed({ modelAliases }: ModelNames, given: { before: string; name: string; model: string }) {
  const { before, name, model } = given;
  if (name !== before && Object.hasOwn(modelAliases, name)) throw new Error(text("models.alias.taken"));
  return { modelAliases: { ...without(modelAliases, before), [name]: model } };
}
