import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../state/hooks.ts";
import { text } from "../../texts/texts.ts";
import { type ChatSettings, isRunning, type Turn } from "./chat/types.ts";
import { conversation } from "./try-state.ts";
import { TurnView } from "./turn-view.tsx";

/** At least the height of what appears below an answer when it ends. */
const NEAR_PX = 160;

interface ConversationViewProps {
  turns: readonly Turn[];
  settings: ChatSettings;
}

export function ConversationView({ turns, settings }: ConversationViewProps) {
  const box = useRef<HTMLDivElement | null>(null);
  const shown = useRef(0);
  const newest = turns.at(-1);
  const states = newest?.answers.map(({ state }) => state).join();
  useEffect(() => {
    const scroller = box.current;
    if (!scroller || !newest) return;
    const isNear = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    if (isNear || shown.current !== newest.id) scroller.scrollTop = scroller.scrollHeight;
    shown.current = newest.id;
  }, [newest?.id, states]);
  return (
    <>
      <p class="off-screen" role="status">
        {newest ? announcement(newest) : ""}
      </p>
      {newest ? (
        // biome-ignore lint/a11y/useSemanticElements: the element with this role is for form fields.
        <div class="conversation" ref={box} tabindex={0} role="group" aria-label={text("try.conversation")}>
          <ol class="turns">
            {turns.map((turn, index) => (
              <TurnView
                key={turn.id}
                turn={turn}
                number={index + 1}
                onRetry={turn === newest ? (at) => void conversation.retry(at, settings) : undefined}
              />
            ))}
          </ol>
        </div>
      ) : (
        <p class="conversation-empty muted">{text("try.empty")}</p>
      )}
    </>
  );
}

const ANNOUNCED_LENGTH_MAX = 1_000;

/** Returns what screen readers announce: progress, and then the whole answer at once instead of in pieces. */
function announcement({ answers }: Turn): string {
  const running = answers.filter(isRunning);
  if (running.some(({ state }) => state === "answering")) return text("try.said.answering");
  if (running.length > 0) return text("try.said.sent");
  return answers
    .map(({ state, model, text: { text: content } }) => {
      if (state === "stopped") return text("try.said.stopped");
      if (state === "failed") return "";
      if (content.length > ANNOUNCED_LENGTH_MAX) return text("try.said.long", { length: content.length });
      return answers.length > 1
        ? text("try.said.answer.of", { model, answer: content })
        : text("try.said.answer", { answer: content });
    })
    .join(" ");
}
