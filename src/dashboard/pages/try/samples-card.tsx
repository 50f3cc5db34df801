import { useEffect, useMemo, useState } from "hono/jsx/dom";
import { Card } from "../../kit/card.tsx";
import { CopyButton } from "../../kit/copy-button.tsx";
import { Scroll } from "../../kit/scroll.tsx";
import { Segments } from "../../kit/segments.tsx";
import { SAMPLE_KINDS, type SampleKind, sampleOf } from "./samples.ts";
import { choice, talk } from "./state.ts";
import type { ChatRequest, Exchange } from "./talk.ts";

const PAUSE_MS = 200;
const SHOWN_LENGTH = 20_000;

const NOTES: Record<SampleKind, string> = {
  curl: "With a token of yours in the variable API_KEY of the shell.",
  node: "After npm install openai, with a token of yours in the variable API_KEY.",
  python: "After pip install openai, with a token of yours in the variable API_KEY.",
  ask: "The plain form, which takes the newest message alone: the answer names a conversation_id and a response_id, to be sent back as conversation_id and parent_id with the next one.",
};

/** The same ask as a program: of what one writes, or, while nothing is written, of what one has asked. */
export function SamplesCard({ model, exchanges }: { model: string; exchanges: readonly Exchange[] }) {
  const [kind, setKind] = useState<SampleKind>("curl");
  const { draft, system } = useSettledChoice();
  const sample = useMemo(
    () => sampleOf(kind, location.origin, requestOf(draft, model, system, exchanges)),
    [kind, draft, model, system, exchanges],
  );
  const isCut = sample.length > SHOWN_LENGTH;
  return (
    <Card
      title="The same in code"
      class="samples"
      actions={<CopyButton text={sample} what="the code" isSmall />}
    >
      <div class="stack">
        <Segments label="Language" value={kind} options={SAMPLE_KINDS} onChoose={setKind} />
        <div class="code">
          <Scroll label="The code">
            <pre>
              <code>{isCut ? sample.slice(0, SHOWN_LENGTH) : sample}</code>
            </pre>
          </Scroll>
        </div>
        {isCut ? <p class="hint">This is the beginning of it; all of it is what is copied.</p> : null}
        <p class="hint">{NOTES[kind]}</p>
      </div>
    </Card>
  );
}

function requestOf(
  draft: string,
  model: string,
  system: string,
  exchanges: readonly Exchange[],
): ChatRequest {
  const newest = exchanges.at(-1);
  if (draft.trim() === "" && newest) return newest.request;
  return talk.requestOf(draft.trim() === "" ? "Hello!" : draft, model, system);
}

/** What is chosen and written, a moment after the last change: a long conversation is not written anew with each key. */
function useSettledChoice() {
  const [settled, setSettled] = useState(choice.get());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = choice.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setSettled(choice.get()), PAUSE_MS);
    });
    return () => {
      leave();
      clearTimeout(timer);
    };
  }, []);
  return settled;
}
