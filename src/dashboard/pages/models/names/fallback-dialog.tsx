import { printable } from "../../../../printable.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/card.tsx";
import { Combobox } from "../../../components/combobox/combobox.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { Form } from "../../../components/form.tsx";
import { showToast } from "../../../components/toast.tsx";
import { useState } from "../../../state/hooks.ts";
import { text } from "../../../texts/texts.ts";
import { FallbackEditor } from "./fallback-editor.tsx";
import { type ModelNames, type NamesProps, without } from "./use-model-settings.ts";

interface FallbackDialogProps extends NamesProps {
  /** The model whose fallbacks are edited; undefined to choose one. */
  model: string | undefined;
  onClose: () => void;
}

/** Edits the fallbacks of a model. The order stays if somebody else has changed the settings meanwhile. */
export function FallbackDialog({ settings, offered, model, onClose }: FallbackDialogProps) {
  const now = model === undefined ? undefined : fallbacksOf(settings.current, model);
  const [before] = useState(now);
  const [others, setOthers] = useState<readonly string[]>(now ?? []);
  const isChanged = JSON.stringify(now) !== JSON.stringify(before);
  return (
    <Dialog title={text("models.fallback.title")} onClose={onClose}>
      <Form
        submit={text("models.save")}
        onSubmit={async (fields) => {
          const name = model ?? fields["model"] ?? "";
          // A name that was typed and not added yet is meant, too.
          const typed = fields["other"] ?? "";
          const list = typed === "" || others.includes(typed) ? others : [...others, typed];
          if (list.length === 0 && !now) throw new Error(text("models.fallback.atLeastOne"));
          await settings.change((names) => changed(names, name, list, model === undefined));
          showToast(text("models.fallback.saved", { model: printable(name) }));
          onClose();
        }}
        actions={<Button onClick={onClose}>{text("models.cancel")}</Button>}
      >
        {isChanged ? (
          <Notice tone="warn">
            {now
              ? text("models.fallback.changedNow", { models: now.map(printable).join(", ") })
              : text("models.fallback.goneNow")}
          </Notice>
        ) : null}
        {model === undefined ? (
          <Combobox
            label={text("models.column.model")}
            name="model"
            value=""
            options={offered.map((value) => ({ value }))}
            isFree
            required
            isFocused
            hint={text("models.fallback.modelHint")}
          />
        ) : (
          <p class="wrap-anywhere">{text("models.fallback.when", { model: printable(model) })}</p>
        )}
        <FallbackEditor models={others} offered={offered} onChange={setOthers} />
      </Form>
    </Dialog>
  );
}

function fallbacksOf(names: ModelNames | undefined, model: string): readonly string[] | undefined {
  const { fallbacks = {} } = names ?? {};
  return Object.hasOwn(fallbacks, model) ? fallbacks[model] : undefined;
}

/** Returns the fallbacks with those of one model; without it if it has none. Throws if it has some and is meant to be new. */
function changed({ fallbacks }: ModelNames, model: string, list: readonly string[], isNew: boolean) {
  if (isNew && Object.hasOwn(fallbacks, model)) throw new Error(text("models.fallback.taken"));
  return { fallbacks: list.length > 0 ? { ...fallbacks, [model]: list } : without(fallbacks, model) };
}
