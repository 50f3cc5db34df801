import { Button } from "./components/button.tsx";
import { EmptyState } from "./components/card.tsx";
import { Toasts } from "./components/toast.tsx";
import { Layout } from "./layout.tsx";
import { SignIn } from "./sign-in.tsx";
import { session } from "./state/session.ts";
import { useStore } from "./state/use-store.ts";

export function App() {
  const now = useStore(session);
  return (
    <>
      {now.state === "in" ? <Layout who={now.who} /> : null}
      {now.state === "out" ? <SignIn notice={now.notice} /> : null}
      {now.state === "loading" ? (
        <main class="alone" aria-busy="true">
          <h1 class="off-screen">Loading</h1>
        </main>
      ) : null}
      {now.state === "failed" ? (
        <main class="alone">
          <h1 class="off-screen">Not reachable</h1>
          <EmptyState title={now.error}>
            <Button kind="primary" onClick={now.again}>
              Try again
            </Button>
          </EmptyState>
        </main>
      ) : null}
      <Toasts />
    </>
  );
}
