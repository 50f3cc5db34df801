import { api } from "../../../api/api.ts";
import type { AddedAgentKey } from "../../../api/types.ts";
import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { Form } from "../../../components/form.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { useState } from "../../../state/hooks.ts";
import { useFetch } from "../../../state/use-fetch.ts";
import { text } from "../../../texts/texts.ts";
import { addKey, KeyFields } from "../add-key-dialog.tsx";
import { freeName } from "../agent-rows.ts";
import { type SourceKind, sourceOf } from "./join-line.ts";

export type KeyChoice =
  | { mode: "none" }
  /** A new key that has not been created yet. */
  | { mode: "new" }
  | { mode: "created"; added: AddedAgentKey }
  /** An existing key. `key` is empty until it is typed. */
  | { mode: "existing"; key: string };

/** Returns the key for the line; undefined if it is still missing, null if none is needed. */
export function keyOf(choice: KeyChoice): string | null | undefined {
  if (choice.mode === "created") return choice.added.key;
  if (choice.mode === "existing") return choice.key || undefined;
  return choice.mode === "none" ? null : undefined;
}

interface KeyStepProps {
  kind: SourceKind;
  isNeeded: boolean;
  choice: KeyChoice;
  onChoose: (choice: KeyChoice) => void;
}

const NONE = { value: "none", title: text("join.key.none"), about: text("join.key.none.about") } as const;
const OTHERS = [
  { value: "new", title: text("join.key.new"), about: text("join.key.new.about") },
  { value: "existing", title: text("join.key.existing"), about: text("join.key.existing.about") },
] as const;

export function KeyStep({ kind, isNeeded, choice, onChoose }: KeyStepProps) {
  const [created, setCreated] = useState<AddedAgentKey | undefined>(undefined);
  const choose = (mode: "none" | "new" | "existing") => {
    if (mode === "new") onChoose(created ? { mode: "created", added: created } : { mode });
    else onChoose(mode === "existing" ? { mode, key: "" } : { mode });
  };
  const keepCreated = (added: AddedAgentKey) => {
    setCreated(added);
    onChoose({ mode: "created", added });
  };
  return (
    <div class="stack">
      <RadioCards
        legend={text("join.step3.legend")}
        isLegendHidden
        name="key-mode"
        value={choice.mode === "created" ? "new" : choice.mode}
        onChoose={choose}
        options={isNeeded ? OTHERS : [NONE, ...OTHERS]}
      />
      {choice.mode === "created" ? (
        <Notice tone="ok">{text("join.key.created", { name: choice.added.name })}</Notice>
      ) : null}
      {choice.mode === "new" ? <NewKey key={kind} kind={kind} onCreated={keepCreated} /> : null}
      {choice.mode === "existing" ? (
        <Field
          label={text("join.key.field")}
          name="agent-key"
          autocomplete="off"
          hint={text("join.key.field.hint", { command: "chatgpt-api-server agents address" })}
          onInput={(key) => onChoose({ mode: "existing", key: key.trim() })}
        />
      ) : null}
    </div>
  );
}

function NewKey({ kind, onCreated }: { kind: SourceKind; onCreated: (added: AddedAgentKey) => void }) {
  const keys = useFetch((signal) => api.agentKeys(signal), []);
  if (keys.error) return <Notice tone="bad">{keys.error}</Notice>;
  if (!keys.value) return null;
  const active = keys.value.filter(({ revoked_at }) => revoked_at === null);
  const name = freeName(sourceOf(kind).keyName, new Set(active.map((key) => key.name)));
  return (
    <Form
      submit={text("agentKeys.createSubmit")}
      onSubmit={async (fields) => onCreated(await addKey(fields["name"] ?? "", fields["models"] ?? ""))}
    >
      <div class="fields-2">
        <KeyFields name={name} />
      </div>
    </Form>
  );
}
