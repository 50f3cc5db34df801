import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { formatDuration, formatNumber } from "../../format.ts";
import type { Turn, TurnState } from "./conversation.ts";
import { StreamedTextView } from "./streamed-text-view.tsx";

interface TurnProps {
  turn: Turn;
  number: number;
  /** Sends the question again. Undefined unless this is the newest turn. */
  onRetry: (() => void) | undefined;
}

export function TurnView({ turn, number, onRetry }: TurnProps) {
  const { request, question, answer, reasoning, state, hasText, error } = turn;
  const isOver = state !== "waiting" && state !== "answering";
  return (
    <li class="turn">
      <h2 class="off-screen">Question {number}</h2>
      <div class="question">{question}</div>
      <div class="reply">
        <div class="row reply-head">
          <span class="mono reply-model">{request.model}</span>
          <State state={state} />
        </div>
        {state === "waiting" ? null : (
          <Reasoning key={`r${turn.id}`} streamed={reasoning} isAnswered={hasText ?? false} />
        )}
        <StreamedTextView streamed={answer} class="answer-text" />
        {error ? <Notice tone="bad">{error}</Notice> : null}
        {isOver ? (
          <div class="row reply-foot">
            <span class="muted">{factsOf(turn)}</span>
            {answer.text === "" ? null : <CopyButton text={answer.text} what="the answer" isSmall />}
            {onRetry ? (
              <Button isSmall kind="quiet" onClick={onRetry}>
                Try again
              </Button>
            ) : null}
          </div>
        ) : null}
      </div>
    </li>
  );
}

function Reasoning({ streamed, isAnswered }: { streamed: Turn["reasoning"]; isAnswered: boolean }) {
  if (streamed.text === "") return null;
  return (
    <details class="reasoning" open={!isAnswered}>
      <summary>Reasoning</summary>
      <StreamedTextView streamed={streamed} class="reasoning-text" />
    </details>
  );
}

function State({ state }: { state: TurnState }) {
  if (state === "waiting") return <Badge>Waiting …</Badge>;
  if (state === "answering") return <Badge tone="accent">Answering …</Badge>;
  if (state === "stopped") return <Badge tone="warn">Stopped</Badge>;
  return state === "failed" ? <Badge tone="bad">Failed</Badge> : null;
}

/** Returns what is known about the answer, in one line. */
function factsOf({ firstMs, durationMs, tokens, finish, answer, state }: Turn): string {
  const facts = [
    firstMs === undefined ? "" : `first output after ${formatDuration(firstMs)}`,
    `${formatDuration(durationMs)} in total`,
    tokens ? `${formatNumber(tokens.input)} input tokens, ${formatNumber(tokens.output)} output tokens` : "",
    finish === "length" ? "cut off at the token limit" : "",
    state === "done" && answer.text === "" ? "the answer is empty" : "",
  ];
  return facts.filter(Boolean).join(" · ");
}
