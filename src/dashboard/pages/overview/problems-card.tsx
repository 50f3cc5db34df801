import type { ProblemAnswer } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Card, type Tone } from "../../components/card.tsx";
import { formatTime } from "../../format.ts";
import { useEffect, useState } from "../../state/hooks.ts";
import { countedText, text } from "../../texts/texts.ts";
import { problemLinks } from "./problem-links.ts";

const TONES: Record<ProblemAnswer["severity"], Tone> = { critical: "bad", warning: "warn", info: "plain" };
const LABELS: Record<ProblemAnswer["severity"], string> = {
  critical: text("overview.problems.critical"),
  warning: text("overview.problems.warning"),
  info: text("overview.problems.info"),
};

interface ProblemsCardProps {
  problems: readonly ProblemAnswer[];
  /** Says what is well, if there is no problem. */
  calm: string;
}

/** Shows the problems in sentences with links, or one sentence that says that all is well. */
export function ProblemsCard({ problems, calm }: ProblemsCardProps) {
  return (
    <Card class="problems">
      <h2 class="off-screen">{text("overview.problems.title")}</h2>
      {problems.length === 0 ? (
        <p>
          <Badge tone="ok">{text("overview.problems.well")}</Badge> {calm}
        </p>
      ) : (
        <ul>
          {problems.map((problem) => (
            <ProblemItem key={problem.id} problem={problem} />
          ))}
        </ul>
      )}
      <Announcer problems={problems} />
    </Card>
  );
}

function ProblemItem({ problem }: { problem: ProblemAnswer }) {
  const { severity, message, hint, since } = problem;
  return (
    <li class={`problem tone-${TONES[severity]}`}>
      <Badge tone={TONES[severity]}>{LABELS[severity]}</Badge>
      <div>
        <p>
          {message}{" "}
          <time class="muted" datetime={since}>
            {text("overview.problems.since", { time: formatTime(since) })}
          </time>
        </p>
        <p class="muted">{hint}</p>
        <p class="row">
          {problemLinks(problem).map(({ href, label }) => (
            <a key={href} href={href}>
              {label}
            </a>
          ))}
        </p>
      </div>
    </li>
  );
}

/**
 * Announces to screen readers that problems begin, and that all are over. The list itself is silent: its numbers change each
 * second.
 */
function Announcer({ problems }: Pick<ProblemsCardProps, "problems">) {
  const [told, setTold] = useState<{ ids: readonly string[]; words: string }>({
    ids: problems.map(({ id }) => id),
    words: "",
  });
  const ids = problems.map(({ id }) => id);
  const key = ids.join(" ");
  useEffect(() => {
    const begun = problems.filter(({ id }) => !told.ids.includes(id));
    const isOver = problems.length === 0 && told.ids.length > 0;
    if (key === told.ids.join(" ")) return;
    const words = begun.length > 0 ? wordsOf(begun) : isOver ? text("overview.problems.over") : told.words;
    setTold({ ids, words });
  }, [key]);
  return (
    <span class="off-screen" role="status">
      {told.words}
    </span>
  );
}

function wordsOf(begun: readonly ProblemAnswer[]): string {
  const [first] = begun;
  if (begun.length > 1 || !first) return countedText("overview.problems.begun", begun.length);
  return text("overview.problems.begunOne", { message: first.message });
}
