import { useMemo } from "hono/jsx/dom";
import { Card } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ScrollArea } from "../../components/scroll-area.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { useEffect, useState } from "../../state/hooks.ts";
import { serverUrl } from "../../state/server-url.ts";
import { type TextKey, text } from "../../texts/texts.ts";
import { requestFor } from "./chat/request.ts";
import type { ChatRequest, ChatSettings, Turn } from "./chat/types.ts";
import { SAMPLE_KINDS, type SampleKind, sampleOf, shortRequest } from "./code-samples.ts";
import { conversation, draft } from "./try-state.ts";

const PAUSE_MS = 200;
const SHOWN_LENGTH = 20_000;

const NOTES: Record<SampleKind, TextKey> = {
  curl: "try.code.note.curl",
  node: "try.code.note.node",
  python: "try.code.note.python",
  ask: "try.code.note.ask",
};

interface SamplesCardProps {
  settings: ChatSettings;
  turns: readonly Turn[];
}

/** Shows the current message as code or, while the message is empty, the last request. */
export function SamplesCard({ settings, turns }: SamplesCardProps) {
  const [kind, setKind] = useState<SampleKind>("curl");
  const typed = useSettledDraft();
  const request = useMemo(() => requestOf(typed, settings, turns), [typed, settings, turns]);
  const whole = () => sampleOf(kind, serverUrl(), request);
  const { sample, isCut } = useMemo(() => {
    const short = shortRequest(request, SHOWN_LENGTH);
    const shown = sampleOf(kind, serverUrl(), short);
    return { sample: shown.slice(0, SHOWN_LENGTH), isCut: short !== request || shown.length > SHOWN_LENGTH };
  }, [kind, request]);
  return (
    <Card
      title={text("try.code.title")}
      class="samples"
      actions={<CopyButton text={whole} what={text("try.code.what")} isSmall />}
    >
      <div class="stack">
        <SegmentedControl
          label={text("try.code.language")}
          value={kind}
          options={SAMPLE_KINDS}
          onChoose={setKind}
        />
        <div class="code">
          <ScrollArea label={text("try.code.label")}>
            <pre>
              <code>{sample}</code>
            </pre>
          </ScrollArea>
        </div>
        {isCut ? <p class="hint">{text("try.code.cut")}</p> : null}
        <p class="hint">{text(NOTES[kind])}</p>
      </div>
    </Card>
  );
}

function requestOf(typed: Typed, settings: ChatSettings, turns: readonly Turn[]): ChatRequest {
  const newest = turns.at(-1);
  const isEmpty = typed.text.trim() === "" && typed.images.length === 0;
  if (!isEmpty) return conversation.requestOf(typed, settings);
  if (!newest) return conversation.requestOf({ text: "Hello!", images: [] }, settings);
  return requestFor(turns.slice(0, -1), newest.question, settings, 0);
}

type Typed = ReturnType<typeof draft.get>;

/**
 * Returns the composer's input a moment after its last change, so that a keystroke does not rebuild long
 * samples.
 */
function useSettledDraft(): Typed {
  const [settled, setSettled] = useState(draft.get());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = draft.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setSettled(draft.get()), PAUSE_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, []);
  return settled;
}
