import type { TrafficAnswer } from "../../api/types.ts";
import { Card } from "../../components/card.tsx";
import { formatWhole } from "../../format.ts";
import { errorWords } from "../../texts/error-words.ts";
import { text } from "../../texts/texts.ts";
import { type TrafficView, trafficHref } from "./traffic-view.ts";

/** Why requests were refused. They have no rows, so that the page says what else can be found out of them. */
export function TrafficRefusals({ view, total }: { view: TrafficView; total: TrafficAnswer["total"] }) {
  const sorted = Object.entries(total.refusals).sort(([, a], [, b]) => b - a);
  if (sorted.length === 0) return null;
  return (
    <Card title={text("traffic.refused.title")}>
      <ul class="traffic-errors">
        {sorted.map(([reason, count]) => (
          <li key={reason} title={reason}>
            <b>{formatWhole(count)}</b> {errorWords(reason)}
          </li>
        ))}
      </ul>
      <p class="muted">
        {text("traffic.refused.about")}{" "}
        {view.only.user === undefined ? (
          <a href={trafficHref({ ...view, by: "user" })}>{text("traffic.refused.byUser")}</a>
        ) : null}
      </p>
    </Card>
  );
}
