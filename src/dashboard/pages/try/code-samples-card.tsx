import { useEffect, useMemo, useState } from "hono/jsx/dom";
import { Card } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ScrollArea } from "../../components/scroll-area.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { SAMPLE_KINDS, type SampleKind, sampleOf } from "./code-samples.ts";
import type { ChatRequest, Turn } from "./conversation.ts";
import { choice, talk } from "./try-state.ts";

const PAUSE_MS = 200;
const SHOWN_LENGTH = 20_000;

const NOTES: Record<SampleKind, string> = {
  curl: "With a token of yours in the variable API_KEY of the shell.",
  node: "After npm install openai, with a token of yours in the variable API_KEY.",
  python: "After pip install openai, with a token of yours in the variable API_KEY.",
  ask: "The plain form, which takes the newest message alone: the answer names a conversation_id and a response_id, to be sent back as conversation_id and parent_id with the next one.",
};

/** The same ask as a program: of what one writes, or, while nothing is written, of what one has asked. */
export function SamplesCard({ model, turns }: { model: string; turns: readonly Turn[] }) {
  const [kind, setKind] = useState<SampleKind>("curl");
  const { draft, system } = useSettledChoice();
  const sample = useMemo(
    () => sampleOf(kind, location.origin, requestOf(draft, model, system, turns)),
    [kind, draft, model, system, turns],
  );
  const isCut = sample.length > SHOWN_LENGTH;
  return (
    <Card
      title="The same in code"
      class="samples"
      actions={<CopyButton text={sample} what="the code" isSmall />}
    >
      <div class="stack">
        <SegmentedControl label="Language" value={kind} options={SAMPLE_KINDS} onChoose={setKind} />
        <div class="code">
          <ScrollArea label="The code">
            <pre>
              <code>{isCut ? sample.slice(0, SHOWN_LENGTH) : sample}</code>
            </pre>
          </ScrollArea>
        </div>
        {isCut ? <p class="hint">This is the beginning of it; all of it is what is copied.</p> : null}
        <p class="hint">{NOTES[kind]}</p>
      </div>
    </Card>
  );
}

function requestOf(draft: string, model: string, system: string, turns: readonly Turn[]): ChatRequest {
  const newest = turns.at(-1);
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
