import { Button } from "./kit/button.tsx";
import { Empty } from "./kit/card.tsx";
import { Toasts } from "./kit/toast.tsx";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";
import { session } from "./state/session.ts";
import { useStore } from "./state/use-store.ts";

export function App() {
  const now = useStore(session);
  return (
    <>
      {now.state === "in" ? <Shell who={now.who} /> : null}
      {now.state === "out" ? <SignIn notice={now.notice} /> : null}
      {now.state === "loading" ? (
        <main class="alone" aria-busy="true">
          <h1 class="off-screen">Loading</h1>
        </main>
      ) : null}
      {now.state === "failed" ? (
        <main class="alone">
          <h1 class="off-screen">Not reachable</h1>
          <Empty title={now.error}>
            <Button kind="primary" onClick={now.again}>
              Try again
            </Button>
          </Empty>
        </main>
      ) : null}
      <Toasts />
    </>
  );
}
