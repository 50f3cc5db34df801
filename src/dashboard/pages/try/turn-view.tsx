import { Button } from "../../components/button.tsx";
import { classNames } from "../../components/class-names.ts";
import { text } from "../../texts/texts.ts";
import { AnswerView } from "./answer-view.tsx";
import type { Turn } from "./chat/types.ts";
import { ImageList } from "./images/image-list.tsx";
import { changeDraft, conversation } from "./try-state.ts";

interface TurnProps {
  turn: Turn;
  number: number;
  /** Sends the question again to one of the models. Undefined unless this is the newest turn. */
  onRetry: ((index: number) => void) | undefined;
}

export function TurnView({ turn, number, onRetry }: TurnProps) {
  const { id, question, answers } = turn;
  const isPair = answers.length > 1;
  return (
    <li class="turn">
      <h2 class="off-screen">{text("try.question", { number })}</h2>
      <div class="question-row">
        {onRetry ? (
          <Button
            isSmall
            kind="quiet"
            label={text("try.edit.label")}
            disabled={conversation.isBusy()}
            onClick={() => changeDraft({ ...question, isEdit: true })}
          >
            {text("try.edit")}
          </Button>
        ) : null}
        <div class="question" dir="auto">
          <ImageList images={question.images} />
          {question.text}
        </div>
      </div>
      <div class={classNames("answers", isPair && "pair")}>
        {answers.map((answer, index) => (
          <AnswerView
            // The position tells apart two answers of one model. Another try has another time.
            key={`${id} ${index} ${answer.at}`}
            answer={answer}
            isPair={isPair}
            onRetry={onRetry && (() => onRetry(index))}
            onStop={() => conversation.stop(index)}
          />
        ))}
      </div>
    </li>
  );
}
