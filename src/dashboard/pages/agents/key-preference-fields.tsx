import { api } from "../../api/api.ts";
import { Checkbox, Field } from "../../components/field.tsx";
import { text } from "../../texts/texts.ts";
import { type KeyFormValues, ownerIdOf } from "./key-form.ts";

/** The form fields that say how agents with a key are chosen. */
export function KeyPreferenceFields({ values }: { values: KeyFormValues }) {
  return (
    <>
      <div class="fields-2">
        <Field
          label={text("agentKeys.priority")}
          name="priority"
          type="number"
          min={-1000}
          max={1000}
          value={values.priority}
          placeholder={text("agentKeys.asAgentSays")}
          hint={text("agentKeys.priority.hint")}
        />
        <Field
          label={text("agentKeys.weight")}
          name="weight"
          value={values.weight}
          placeholder={text("agentKeys.asAgentSays")}
          autocomplete="off"
          hint={text("agentKeys.weight.hint")}
        />
        <Field
          label={text("agentKeys.tags")}
          name="tags"
          value={values.tags}
          placeholder={text("agentKeys.noTags")}
          autocomplete="off"
          hint={text("agentKeys.tags.hint")}
        />
        <Field
          label={text("agentKeys.ownerField")}
          name="owner"
          value={values.owner}
          placeholder={text("agentKeys.noOwner")}
          autocomplete="off"
          hint={text("agentKeys.owner.hint")}
        />
      </div>
      <Checkbox
        label={text("agentKeys.showsName")}
        name="shows_name"
        isChecked={values.shows_name === "on"}
      />
    </>
  );
}

/** Returns the id of the user that a text names. Rejects with an `Error` for people. */
export async function findOwner(text: string): Promise<string> {
  return ownerIdOf(text, await api.users());
}
