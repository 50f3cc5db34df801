import { useMemo } from "hono/jsx/dom";
import { Card } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ScrollArea } from "../../components/scroll-area.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { useEffect, useState } from "../../state/hooks.ts";
import { serverUrl } from "../../state/server-url.ts";
import { SAMPLE_KINDS, type SampleKind, sampleOf } from "./code-samples.ts";
import type { ChatRequest, Turn } from "./conversation.ts";
import { composerInput, conversation } from "./try-state.ts";

const PAUSE_MS = 200;
const SHOWN_LENGTH = 20_000;

const NOTES: Record<SampleKind, string> = {
  curl: "Set the shell variable API_KEY to your token first.",
  node: "Run npm install openai first, and set the environment variable API_KEY to your token.",
  python: "Run pip install openai first, and set the environment variable API_KEY to your token.",
  ask: "The simple API takes only the newest message. Set the shell variable API_KEY to your token first. To continue the conversation, send the conversation_id and the response_id of the response back as conversation_id and parent_id.",
};

/** Shows the current message as code or, while the message is empty, the last request. */
export function SamplesCard({ model, turns }: { model: string; turns: readonly Turn[] }) {
  const [kind, setKind] = useState<SampleKind>("curl");
  const { draft, system } = useSettledInput();
  const sample = useMemo(
    () => sampleOf(kind, serverUrl(), requestOf(draft, model, system, turns)),
    [kind, draft, model, system, turns],
  );
  const isCut = sample.length > SHOWN_LENGTH;
  return (
    <Card
      title="Use it in code"
      class="samples"
      actions={<CopyButton text={sample} what="the code" isSmall />}
    >
      <div class="stack">
        <SegmentedControl label="Language" value={kind} options={SAMPLE_KINDS} onChoose={setKind} />
        <div class="code">
          <ScrollArea label="Code">
            <pre>
              <code>{isCut ? sample.slice(0, SHOWN_LENGTH) : sample}</code>
            </pre>
          </ScrollArea>
        </div>
        {isCut ? <p class="hint">Only the beginning is shown. Copying copies all of it.</p> : null}
        <p class="hint">{NOTES[kind]}</p>
      </div>
    </Card>
  );
}

function requestOf(draft: string, model: string, system: string, turns: readonly Turn[]): ChatRequest {
  const newest = turns.at(-1);
  if (draft.trim() === "" && newest) return newest.request;
  return conversation.requestOf(draft.trim() === "" ? "Hello!" : draft, model, system);
}

/**
 * Returns the composer's input a moment after its last change, so that a keystroke does not rebuild long
 * samples.
 */
function useSettledInput() {
  const [settled, setSettled] = useState(composerInput.get());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = composerInput.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setSettled(composerInput.get()), PAUSE_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, []);
  return settled;
}
