import { useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useEffect } from "../../state/hooks.ts";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { SamplesCard } from "./code-samples-card.tsx";
import { Composer } from "./composer.tsx";
import type { Turn } from "./conversation.ts";
import { composerInput, conversation } from "./try-state.ts";
import { TurnView } from "./turn-view.tsx";

export function TryPage() {
  const models = useFetch((signal) => api.models(signal), []);
  const turns = useStore(conversation.turns);
  const known = models.value ?? [];
  const hasTurns = turns.length > 0;
  return (
    <>
      <PageHeader title="Try it" lead="Send a message to a model through the API, as a program would.">
        {hasTurns ? <Button onClick={conversation.clear}>New conversation</Button> : null}
      </PageHeader>
      {models.error ? <Notice tone="bad">{models.error}</Notice> : null}
      {models.value && known.length === 0 && !hasTurns ? <NoModels onReload={models.reload} /> : null}
      {known.length > 0 || hasTurns ? (
        <TryView models={known} turns={turns} onReload={models.reload} />
      ) : null}
    </>
  );
}

function NoModels({ onReload }: { onReload: () => void }) {
  const now = session.get();
  const isAdmin = now.state === "in" && now.who.role === "admin";
  return (
    <Card>
      <EmptyState title="No models are available.">
        <p>
          {isAdmin
            ? "No connected agent offers a model. An agent can be a browser with ChatGPT open, or stand in front of Ollama, llama.cpp, vLLM, or any other OpenAI-style server."
            : "No connected agent offers a model that you may use. Contact the administrator of this server."}
        </p>
        <div class="row">
          {isAdmin ? <JoinLink /> : null}
          <Button onClick={onReload}>Check again</Button>
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
  const { model: chosen, system } = useStore(composerInput);
  const newest = turns.at(-1);
  const model =
    [chosen, newest?.request.model, models[0]].find((name) => name && models.includes(name)) ?? chosen;
  const isBusy = newest?.state === "waiting" || newest?.state === "answering";
  return (
    <div class="try">
      <Card class="try-conversation">
        <div class="stack">
          <div class="row try-choice">
            <Select
              key={models.join("\n")}
              label="Model"
              name="model"
              value={model}
              options={models.map((name) => ({ value: name, label: name }))}
              onInput={(value) => composerInput.set({ ...composerInput.get(), model: value })}
            />
            <Button kind="quiet" isSmall onClick={onReload}>
              Refresh
            </Button>
          </div>
          <details class="try-options" open={system !== ""}>
            <summary>Options</summary>
            <Field
              label="System message"
              hint="Instructions for the model, sent before all other messages."
              name="system"
              value={system}
              onInput={(value) => composerInput.set({ ...composerInput.get(), system: value })}
            />
          </details>
          <ConversationView turns={turns} />
          <Composer model={model} isBusy={isBusy} />
        </div>
      </Card>
      <SamplesCard model={model} turns={turns} />
    </div>
  );
}

/** At least the height of what appears below an answer when it ends. */
const NEAR_PX = 160;

function ConversationView({ turns }: { turns: readonly Turn[] }) {
  const box = useRef<HTMLDivElement | null>(null);
  const shown = useRef(0);
  const newest = turns.at(-1);
  useEffect(() => {
    const scroller = box.current;
    if (!scroller || !newest) return;
    const isNear = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    if (isNear || shown.current !== newest.id) scroller.scrollTop = scroller.scrollHeight;
    shown.current = newest.id;
  }, [newest?.id, newest?.state]);
  return (
    <>
      <p class="off-screen" role="status">
        {newest ? announcement(newest) : ""}
      </p>
      {newest ? (
        // biome-ignore lint/a11y/useSemanticElements: the element with this role is for form fields.
        <div class="conversation" ref={box} tabindex={0} role="group" aria-label="Conversation">
          <ol class="turns">
            {turns.map((turn, index) => (
              <TurnView
                key={turn.id}
                turn={turn}
                number={index + 1}
                onRetry={turn === newest ? () => void conversation.retry() : undefined}
              />
            ))}
          </ol>
        </div>
      ) : null}
    </>
  );
}

const ANNOUNCED_LENGTH_MAX = 1_000;

/** Returns what screen readers announce: progress, and then the whole answer at once instead of in pieces. */
function announcement({ state, answer }: Turn): string {
  if (state === "waiting") return "Sent.";
  if (state === "answering") return "The answer is arriving.";
  if (state === "stopped") return "Stopped.";
  if (state === "failed") return "";
  const { text } = answer;
  return text.length > ANNOUNCED_LENGTH_MAX
    ? `The answer is complete. It has ${text.length} characters.`
    : `Answer: ${text}`;
}
