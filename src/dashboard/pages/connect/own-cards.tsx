import type { SessionAnswer } from "../../api/types.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { Limits } from "../usage/own-usage.tsx";

/** The user's limits, and the ways to their usage and requests. */
export function OwnCards({ user }: { user: NonNullable<SessionAnswer["user"]> }) {
  return (
    <>
      <Limits user={user} />
      <Card title={text("connect.own.title")}>
        <div class="stack">
          <p class="muted">{text("connect.own.about")}</p>
          <div class="row">
            <LinkButton href={hrefOf("usage")}>{text("connect.own.usage")}</LinkButton>
            <LinkButton href={requestsHref({ period: "24h" })}>{text("connect.own.requests")}</LinkButton>
            <LinkButton href={requestsHref({ period: "24h", outcome: "failed" })}>
              {text("connect.own.failed")}
            </LinkButton>
          </div>
        </div>
      </Card>
    </>
  );
}
