import { LinkButton } from "../../components/button.tsx";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";

/** Links to the page that explains how to connect an agent. */
export function JoinLink() {
  return (
    <LinkButton kind="primary" href={hrefOf("agents", "join")}>
      {text("agents.join")}
    </LinkButton>
  );
}
