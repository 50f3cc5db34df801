import { api } from "../../api/api.ts";
import { Checkbox, Field } from "../../components/field.tsx";
import { type KeyFormValues, ownerIdOf } from "./key-form.ts";

/** The form fields that say how agents with a key are chosen. */
export function KeyPreferenceFields({ values }: { values: KeyFormValues }) {
  return (
    <>
      <div class="fields-2">
        <Field
          label="Priority"
          name="priority"
          type="number"
          min={-1000}
          max={1000}
          value={values.priority}
          placeholder="as the agent says"
          hint="Agents with the highest priority are used first, as long as they have room."
        />
        <Field
          label="Weight"
          name="weight"
          value={values.weight}
          placeholder="as the agent says"
          autocomplete="off"
          hint="The share of requests among agents of the same priority."
        />
        <Field
          label="Tags"
          name="tags"
          value={values.tags}
          placeholder="no tags"
          autocomplete="off"
          hint="The tags that the agents may have, such as home. Separate tags with commas."
        />
        <Field
          label="Owner"
          name="owner"
          value={values.owner}
          placeholder="no owner"
          autocomplete="off"
          hint="The name or ID of the user whose requests come first on these agents."
        />
      </div>
      <Checkbox
        label="Show callers the names of these agents"
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
