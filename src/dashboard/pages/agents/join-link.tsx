import { LinkButton } from "../../components/button.tsx";
import { hrefOf } from "../../state/route.ts";

/** To the page that says how an agent comes here. */
export function JoinLink() {
  return (
    <LinkButton kind="primary" href={hrefOf("agents", "join")}>
      Join an agent
    </LinkButton>
  );
}
