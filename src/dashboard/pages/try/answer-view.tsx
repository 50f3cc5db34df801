import type { Child } from "hono/jsx/dom";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { formatDuration, formatNumber } from "../../format.ts";
import { richText, text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { type Answer, type AnswerState, isRunning } from "./chat/types.ts";
import { MarkdownView } from "./markdown/markdown-view.tsx";
import { StreamedTextView } from "./streamed-text-view.tsx";

interface AnswerProps {
  answer: Answer;
  /** Whether it stands beside another one. */
  isPair: boolean;
  onRetry: (() => void) | undefined;
  onStop: () => void;
}

export function AnswerView({ answer, isPair, onRetry, onStop }: AnswerProps) {
  const { model, text: content, reasoning, state, hasText, error } = answer;
  const isOver = !isRunning(answer);
  return (
    <div class="reply">
      <div class="row reply-head">
        <span class="mono reply-model">{model}</span>
        <State state={state} />
        {isPair && !isOver ? (
          <Button isSmall label={text("try.stop.model", { model })} onClick={onStop}>
            {text("try.stop")}
          </Button>
        ) : null}
      </div>
      {state === "waiting" ? null : <Reasoning streamed={reasoning} isAnswered={hasText ?? false} />}
      <MarkdownView streamed={content} />
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {isOver ? (
        <div class="reply-foot">
          <Facts answer={answer} />
          <div class="row">
            {content.text === "" ? null : (
              <CopyButton text={content.text} what={text("try.answer.what")} isSmall />
            )}
            {onRetry ? (
              <Button isSmall kind="quiet" onClick={onRetry}>
                {text("try.again")}
              </Button>
            ) : null}
          </div>
        </div>
      ) : null}
    </div>
  );
}

function Reasoning({ streamed, isAnswered }: { streamed: Answer["reasoning"]; isAnswered: boolean }) {
  if (streamed.text === "") return null;
  return (
    <details class="reasoning" open={!isAnswered}>
      <summary>{text("try.reasoning")}</summary>
      <StreamedTextView streamed={streamed} class="reasoning-text" />
    </details>
  );
}

function State({ state }: { state: AnswerState }) {
  if (state === "waiting") return <Badge>{text("try.state.waiting")}</Badge>;
  if (state === "answering") return <Badge tone="accent">{text("try.state.answering")}</Badge>;
  if (state === "stopped") return <Badge tone="warn">{text("try.state.stopped")}</Badge>;
  return state === "failed" ? <Badge tone="bad">{text("try.state.failed")}</Badge> : null;
}

/** Returns how many tokens a second the model wrote; undefined if that is not known. */
function tokenRate({ tokens, firstMs, durationMs }: Answer): number | undefined {
  const ms = (durationMs ?? 0) - (firstMs ?? 0);
  return tokens && tokens.output > 1 && firstMs !== undefined && ms > 0
    ? (1000 * tokens.output) / ms
    : undefined;
}

/** The facts about an answer, in one line. */
function Facts({ answer }: { answer: Answer }) {
  const { firstMs, durationMs, tokens, agent, usedModel, requestId, at, finish, state } = answer;
  const rate = tokenRate(answer);
  const facts: Child[] = [
    rate === undefined ? null : <b>{text("try.facts.rate", { rate: formatNumber(rate) })}</b>,
    firstMs === undefined ? null : text("try.facts.first", { time: formatDuration(firstMs) }),
    durationMs === undefined ? null : text("try.facts.total", { time: formatDuration(durationMs) }),
    tokens
      ? text("try.facts.tokens", { input: formatNumber(tokens.input), output: formatNumber(tokens.output) })
      : null,
    agent ? <span title={agent}>{text("try.facts.agent", { agent: shortId(agent) })}</span> : null,
    usedModel ? text("try.facts.model", { model: usedModel }) : null,
    finish === "length" ? text("try.facts.length") : null,
    state === "done" && answer.text.text === "" ? text("try.facts.empty") : null,
    requestId
      ? richText("try.facts.request", {
          request: (
            <a
              class="mono"
              href={requestsHref({ open: requestId, at: new Date(at).toISOString() })}
              title={requestId}
            >
              {shortId(requestId)}
            </a>
          ),
        })
      : null,
  ].filter((fact) => fact !== null);
  return (
    <ul class="reply-facts">
      {facts.map((fact) => (
        <li>{fact}</li>
      ))}
    </ul>
  );
}

/** Returns the beginning of an id that nobody reads, and any other name as it is. */
function shortId(name: string): string {
  return name.replace(/^((?:req_)?[0-9a-f]{8})-[0-9a-f-]{27}$/, "$1");
}
