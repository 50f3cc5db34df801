import { useRef } from "hono/jsx/dom";
import { Button } from "./components/button.tsx";
import { Notice } from "./components/card.tsx";
import { Field } from "./components/field.tsx";
import { Form } from "./components/form.tsx";
import { Logo } from "./frame/logo.tsx";
import { useEffect, useState } from "./state/hooks.ts";
import { signIn, signOut } from "./state/session.ts";
import { text } from "./texts/texts.ts";

export function SignIn({ notice }: { notice: string | undefined }) {
  return (
    <main class="alone">
      <div class="sign-in card">
        <div class="brand">
          <Logo />
          <h1>chatgpt-api-server</h1>
        </div>
        <SignInForm notice={notice} />
      </div>
    </main>
  );
}

/** Asks for a key over the page, which keeps what was typed into it. */
export function SignInAgain({ notice }: { notice: string }) {
  const ref = useRef<HTMLDialogElement | null>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog sign-in-again"
      aria-labelledby="sign-in-again"
      onCancel={(event: Event) => event.preventDefault()}
    >
      <header class="dialog-head">
        <h2 id="sign-in-again">{text("signIn.title")}</h2>
      </header>
      <div class="dialog-body">
        <SignInForm notice={notice} isAgain />
      </div>
    </dialog>
  );
}

function SignInForm({ notice, isAgain }: { notice: string | undefined; isAgain?: boolean }) {
  const [isShown, setShown] = useState(false);
  // The error of an attempt is shown below. It takes the place of the reason for the sign-in.
  const [isTried, setTried] = useState(false);
  const submit = ({ key }: Record<string, string>) => {
    setTried(true);
    return signIn(key ?? "");
  };
  return (
    <>
      {notice && !isTried ? <Notice tone="plain">{notice}</Notice> : null}
      <Form
        submit={text("signIn.submit")}
        onSubmit={submit}
        actions={
          <>
            <Button kind="quiet" onClick={() => setShown((before) => !before)}>
              {text(isShown ? "signIn.hideKey" : "signIn.showKey")}
            </Button>
            {isAgain ? (
              <Button kind="quiet" onClick={signOut}>
                {text("signIn.signOut")}
              </Button>
            ) : null}
          </>
        }
      >
        <Field
          label={text("signIn.key")}
          name="key"
          type={isShown ? "text" : "password"}
          autocomplete="current-password"
          required
          isFocused
          hint={text("signIn.key.hint")}
        />
      </Form>
    </>
  );
}
