import { Notice } from "./components/card.tsx";
import { Field } from "./components/field.tsx";
import { Form } from "./components/form.tsx";
import { Logo } from "./logo.tsx";
import { signIn } from "./state/session.ts";

export function SignIn({ notice }: { notice: string | undefined }) {
  return (
    <main class="alone">
      <div class="sign-in card">
        <div class="brand">
          <Logo />
          <h1>chatgpt-api-server</h1>
        </div>
        {notice ? <Notice tone="plain">{notice}</Notice> : null}
        <Form submit="Sign in" onSubmit={({ key }) => signIn(key ?? "")}>
          <Field
            label="Key"
            name="key"
            type="password"
            autocomplete="current-password"
            required
            isFocused
            hint="Use the admin key that the server was started with, or your own token to see your usage and try the models."
          />
        </Form>
      </div>
    </main>
  );
}
