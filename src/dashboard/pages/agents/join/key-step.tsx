import { useState } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import type { AddedAgentKey } from "../../../api/types.ts";
import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { Form } from "../../../components/form.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { useFetch } from "../../../state/use-fetch.ts";
import { addKey, KeyFields } from "../add-key-dialog.tsx";
import { freeName } from "../agent-rows.ts";
import { type SourceKind, sourceOf } from "./join-line.ts";

export type KeyChoice =
  | { mode: "none" }
  /** It is not made yet. */
  | { mode: "new" }
  | { mode: "made"; added: AddedAgentKey }
  /** `key` is empty until it is typed. */
  | { mode: "have"; key: string };

/** The key that the line has: undefined while there is none yet, null where none is needed. */
export function keyOf(choice: KeyChoice): string | null | undefined {
  if (choice.mode === "made") return choice.added.key;
  if (choice.mode === "have") return choice.key || undefined;
  return choice.mode === "none" ? null : undefined;
}

interface KeyStepProps {
  kind: SourceKind;
  isNeeded: boolean;
  choice: KeyChoice;
  onChoose: (choice: KeyChoice) => void;
}

const NONE = { value: "none", title: "None", about: "None is needed there" } as const;
const OTHERS = [
  { value: "new", title: "A new one of its own", about: "You can take it back later" },
  { value: "have", title: "One that I have", about: "The main key, or one made before" },
] as const;

export function KeyStep({ kind, isNeeded, choice, onChoose }: KeyStepProps) {
  const [made, setMade] = useState<AddedAgentKey | undefined>(undefined);
  const choose = (mode: "none" | "new" | "have") => {
    if (mode === "new") onChoose(made ? { mode: "made", added: made } : { mode });
    else onChoose(mode === "have" ? { mode, key: "" } : { mode });
  };
  const take = (added: AddedAgentKey) => {
    setMade(added);
    onChoose({ mode: "made", added });
  };
  return (
    <div class="stack">
      <RadioCards
        legend="Its key"
        isLegendHidden
        name="key-mode"
        value={choice.mode === "made" ? "new" : choice.mode}
        onChoose={choose}
        options={isNeeded ? OTHERS : [NONE, ...OTHERS]}
      />
      {choice.mode === "made" ? (
        <Notice tone="ok">
          The key “{choice.added.name}” is made and stands in the line below: this once, as the server keeps
          only its hash.
        </Notice>
      ) : null}
      {choice.mode === "new" ? <NewKey key={kind} kind={kind} onMade={take} /> : null}
      {choice.mode === "have" ? (
        <Field
          label="Agent key"
          name="agent-key"
          autocomplete="off"
          hint="The main key is in the banner that the server prints when it starts; nothing here can show it. What you type stays in this page."
          onInput={(key) => onChoose({ mode: "have", key: key.trim() })}
        />
      ) : null}
    </div>
  );
}

function NewKey({ kind, onMade }: { kind: SourceKind; onMade: (added: AddedAgentKey) => void }) {
  const keys = useFetch((signal) => api.agentKeys(signal), []);
  if (keys.error) return <Notice tone="bad">{keys.error}</Notice>;
  if (!keys.value) return null;
  const active = keys.value.filter(({ revoked_at }) => revoked_at === null);
  const name = freeName(sourceOf(kind).keyName, new Set(active.map((key) => key.name)));
  return (
    <Form
      submit="Make the key"
      onSubmit={async (fields) => onMade(await addKey(fields["name"] ?? "", fields["models"] ?? ""))}
    >
      <div class="fields-2">
        <KeyFields name={name} />
      </div>
    </Form>
  );
}
