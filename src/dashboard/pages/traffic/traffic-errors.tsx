import type { TrafficAnswer } from "../../api/types.ts";
import { Card } from "../../components/card.tsx";
import { formatWhole } from "../../format.ts";
import { errorWords } from "../../texts/error-words.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { requestParams, type TrafficView } from "./traffic-view.ts";

/** Why requests failed, each reason with a link to its requests. */
export function TrafficErrors(props: { view: TrafficView; errors: TrafficAnswer["total"]["errors"] }) {
  const { view, errors } = props;
  const sorted = Object.entries(errors).sort(([, a], [, b]) => b - a);
  if (sorted.length === 0) return null;
  return (
    <Card title={text("traffic.errors")}>
      <ul class="traffic-errors">
        {sorted.map(([code, count]) => (
          <li key={code}>
            <a href={requestsHref({ ...requestParams(view), outcome: code })} title={code}>
              <b>{formatWhole(count)}</b> {errorWords(code)}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}
