import { Button } from "./components/button.tsx";
import { EmptyState } from "./components/card.tsx";
import { Toasts } from "./components/toast.tsx";
import { Layout } from "./frame/layout.tsx";
import { SignIn, SignInAgain } from "./sign-in.tsx";
import { identityOf, session } from "./state/session.ts";
import { useStore } from "./state/use-store.ts";
import { text } from "./texts/texts.ts";

export function App() {
  const current = useStore(session);
  return (
    <>
      {current.state === "in" ? <Layout key={identityOf(current.who)} who={current.who} /> : null}
      {current.state === "in" && current.ended !== undefined ? <SignInAgain notice={current.ended} /> : null}
      {current.state === "out" ? <SignIn notice={current.notice} /> : null}
      {current.state === "loading" ? (
        <main class="alone" aria-busy="true">
          <h1 class="off-screen">{text("app.loading")}</h1>
        </main>
      ) : null}
      {current.state === "failed" ? (
        <main class="alone">
          <h1 class="off-screen">{text("app.unreachable")}</h1>
          <EmptyState title={current.error}>
            <Button kind="primary" onClick={current.retry}>
              {text("app.tryAgain")}
            </Button>
          </EmptyState>
        </main>
      ) : null}
      <Toasts />
    </>
  );
}
