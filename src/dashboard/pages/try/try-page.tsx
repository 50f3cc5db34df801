import { useEffect, useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { SamplesCard } from "./code-samples-card.tsx";
import { Composer } from "./composer.tsx";
import type { Turn } from "./conversation.ts";
import { choice, talk } from "./try-state.ts";
import { TurnView } from "./turn-view.tsx";

export function TryPage() {
  const models = useFetch((signal) => api.models(signal), []);
  const turns = useStore(talk.turns);
  const known = models.value ?? [];
  const hasTalk = turns.length > 0;
  return (
    <>
      <PageHeader
        title="Try it"
        lead="Ask a model as any program would, over the API, and see what it answers."
      >
        {hasTalk ? <Button onClick={talk.clear}>New conversation</Button> : null}
      </PageHeader>
      {models.error ? <Notice tone="bad">{models.error}</Notice> : null}
      {models.value && known.length === 0 && !hasTalk ? <NoModels onReload={models.reload} /> : null}
      {known.length > 0 || hasTalk ? <TryView models={known} turns={turns} onReload={models.reload} /> : null}
    </>
  );
}

function NoModels({ onReload }: { onReload: () => void }) {
  const now = session.get();
  const isAdmin = now.state === "in" && now.who.role === "admin";
  return (
    <Card>
      <EmptyState title="There is no model to ask.">
        <p>
          {isAdmin
            ? "No agent is connected. An agent brings its models: a browser with ChatGPT open, Ollama, llama.cpp, vLLM, or any other OpenAI-style server."
            : "No agent that has a model for you is connected now. Ask whoever runs this server."}
        </p>
        <div class="row">
          {isAdmin ? <JoinLink /> : null}
          <Button onClick={onReload}>Look again</Button>
        </div>
      </EmptyState>
    </Card>
  );
}

interface TryViewProps {
  models: readonly string[];
  turns: readonly Turn[];
  onReload: () => void;
}

function TryView({ models, turns, onReload }: TryViewProps) {
  const { model: chosen, system } = useStore(choice);
  const newest = turns.at(-1);
  const model =
    [chosen, newest?.request.model, models[0]].find((name) => name && models.includes(name)) ?? chosen;
  const isBusy = newest?.state === "waiting" || newest?.state === "answering";
  return (
    <div class="try">
      <Card class="try-talk">
        <div class="stack">
          <div class="row try-choice">
            <Select
              key={models.join("\n")}
              label="Model"
              name="model"
              value={model}
              options={models.map((name) => ({ value: name, label: name }))}
              onInput={(value) => choice.set({ ...choice.get(), model: value })}
            />
            <Button kind="quiet" isSmall onClick={onReload}>
              Refresh
            </Button>
          </div>
          <details class="try-options" open={system !== ""}>
            <summary>Before the conversation</summary>
            <Field
              label="System message"
              hint="What it is told to be or to heed, sent ahead of all else."
              name="system"
              value={system}
              onInput={(value) => choice.set({ ...choice.get(), system: value })}
            />
          </details>
          <Conversation turns={turns} />
          <Composer model={model} isBusy={isBusy} />
        </div>
      </Card>
      <SamplesCard model={model} turns={turns} />
    </div>
  );
}

/** What comes below an answer at its end is no taller. */
const NEAR_PX = 160;

function Conversation({ turns }: { turns: readonly Turn[] }) {
  const box = useRef<HTMLDivElement | null>(null);
  const shown = useRef(0);
  const newest = turns.at(-1);
  useEffect(() => {
    const talk = box.current;
    if (!talk || !newest) return;
    const isNear = talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR_PX;
    if (isNear || shown.current !== newest.id) talk.scrollTop = talk.scrollHeight;
    shown.current = newest.id;
  }, [newest?.id, newest?.state]);
  return (
    <>
      <p class="off-screen" role="status">
        {newest ? spoken(newest) : ""}
      </p>
      {newest ? (
        // biome-ignore lint/a11y/useSemanticElements: the element with this role is for the fields of forms.
        <div class="talk" ref={box} tabindex={0} role="group" aria-label="Conversation">
          <ol class="exchanges">
            {turns.map((turn, index) => (
              <TurnView
                key={turn.id}
                turn={turn}
                number={index + 1}
                onAgain={turn === newest ? () => void talk.again() : undefined}
              />
            ))}
          </ol>
        </div>
      ) : null}
    </>
  );
}

const SPOKEN_LENGTH = 1_000;

/** For screen readers: that it goes on, and then the answer at once, not a piece at a time. */
function spoken({ state, answer }: Turn): string {
  if (state === "waiting") return "Sent.";
  if (state === "answering") return "The answer is coming.";
  if (state === "stopped") return "Stopped.";
  if (state === "failed") return "";
  const { text } = answer;
  return text.length > SPOKEN_LENGTH
    ? `The answer is complete, with ${text.length} characters.`
    : `Answer: ${text}`;
}
