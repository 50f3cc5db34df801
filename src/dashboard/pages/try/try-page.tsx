import { useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { OfferedModel } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { showToast } from "../../components/toast.tsx";
import { useEffect } from "../../state/hooks.ts";
import { session } from "../../state/session.ts";
import { type AddressValues, useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { text } from "../../texts/texts.ts";
import { JoinLink } from "../agents/join-link.tsx";
import type { ChatSettings, Turn } from "./chat/types.ts";
import { SamplesCard } from "./code-samples-card.tsx";
import { Composer } from "./composer.tsx";
import { ConversationView } from "./conversation-view.tsx";
import { download, fileNameOf, toJson, toMarkdown } from "./kept/export.ts";
import { titleOf } from "./kept/kept-chat.ts";
import { KeptCard } from "./kept-card.tsx";
import { ModelsBar } from "./models-bar.tsx";
import { SettingsCard } from "./settings-card.tsx";
import {
  changeSettings,
  conversation,
  current,
  openChat,
  reloadKept,
  settings,
  startChat,
} from "./try-state.ts";

/** The parameter of the address that names the conversation. */
const PARAMETER = "c";

export function TryPage({ query }: { query: URLSearchParams }) {
  const models = useFetch((signal) => api.offeredModels(signal), []);
  const turns = useStore(conversation.turns);
  const address = useAddress();
  useCurrentChat(address, turns.length > 0);
  useModelOfAddress(address, query.get("model"));
  const offered = models.value ?? [];
  const hasTurns = turns.length > 0;
  const start = () => {
    startChat();
    address.change({ [PARAMETER]: undefined });
  };
  return (
    <>
      <PageHeader title={text("try.title")} lead={text("try.lead")}>
        {hasTurns ? <ExportButtons turns={turns} /> : null}
        {hasTurns ? <Button onClick={start}>{text("try.new")}</Button> : null}
      </PageHeader>
      {models.error ? <Notice tone="bad">{models.error}</Notice> : null}
      {models.value && offered.length === 0 && !hasTurns ? <NoModels onReload={models.reload} /> : null}
      {offered.length > 0 || hasTurns ? (
        <TryView
          offered={offered}
          turns={turns}
          onReload={models.reload}
          onSend={() => address.change({ [PARAMETER]: current.get().id })}
        />
      ) : null}
    </>
  );
}

/** Chooses the model that the address names, once: another one may be chosen later. */
function useModelOfAddress(address: AddressValues, model: string | null): void {
  useEffect(() => {
    if (!model) return;
    changeSettings({ models: [model] });
    address.change({ model: undefined });
  }, [model]);
}

/** Shows the conversation that the address names, and names the current one if the address names none. */
function useCurrentChat(address: AddressValues, hasTurns: boolean): void {
  const named = address.get(PARAMETER);
  const { id: shown } = useStore(current);
  const shownBefore = useRef(shown);
  useEffect(() => {
    if (shownBefore.current === shown) return;
    shownBefore.current = shown;
    // Another tab has changed it too, so that it is kept under another id, or it was deleted.
    if (named !== undefined && named !== shown) address.change({ [PARAMETER]: hasTurns ? shown : undefined });
  }, [shown]);
  useEffect(() => void reloadKept(), []);
  useEffect(() => {
    const { id } = current.get();
    if (named === id) return;
    if (named === undefined) {
      if (hasTurns) address.change({ [PARAMETER]: id });
      return;
    }
    void openChat(named).then((isThere) => {
      if (isThere) return;
      showToast(text("try.kept.gone"), "bad");
      address.change({ [PARAMETER]: conversation.turns.get().length > 0 ? current.get().id : undefined });
    });
  }, [named]);
}

function ExportButtons({ turns }: { turns: readonly Turn[] }) {
  const title = () => current.get().title ?? (titleOf(turns) || text("try.kept.untitled"));
  return (
    <>
      <Button
        kind="quiet"
        onClick={() => download(fileNameOf(title(), "md"), "text/markdown", toMarkdown(title(), turns))}
      >
        {text("try.export.markdown")}
      </Button>
      <Button
        kind="quiet"
        onClick={() =>
          download(fileNameOf(title(), "json"), "application/json", toJson(title(), settings.get(), turns))
        }
      >
        {text("try.export.json")}
      </Button>
    </>
  );
}

function NoModels({ onReload }: { onReload: () => void }) {
  const now = session.get();
  const isAdmin = now.state === "in" && now.who.role === "admin";
  return (
    <Card>
      <EmptyState title={text("try.none.title")}>
        <p>{text(isAdmin ? "try.none.admin" : "try.none.user")}</p>
        <div class="row">
          {isAdmin ? <JoinLink /> : null}
          <Button onClick={onReload}>{text("try.none.again")}</Button>
        </div>
      </EmptyState>
    </Card>
  );
}

interface TryViewProps {
  offered: readonly OfferedModel[];
  turns: readonly Turn[];
  onReload: () => void;
  onSend: () => void;
}

function TryView({ offered, turns, onReload, onSend }: TryViewProps) {
  const typed = useStore(settings);
  const chosen = { ...typed, models: chosenModels(typed, offered, turns) };
  const blind = offered.filter(({ id, capabilities }) => {
    return chosen.models.includes(id) && capabilities !== undefined && !capabilities.includes("vision");
  });
  return (
    <div class="try">
      <Card class="try-conversation">
        <div class="stack">
          <ModelsBar offered={offered} models={chosen.models} onReload={onReload} />
          <ConversationView turns={turns} settings={chosen} />
          <Composer
            settings={chosen}
            isBusy={conversation.isBusy()}
            blind={blind.map(({ id }) => id)}
            onSend={onSend}
          />
        </div>
      </Card>
      <div class="stack try-side">
        <KeptCard />
        <SettingsCard key={current.get().id} settings={typed} />
        <SamplesCard settings={chosen} turns={turns} />
      </div>
    </div>
  );
}

/** Returns the models for the next question. One that is not offered any more gives way to that of the newest answer. */
function chosenModels(
  { models }: ChatSettings,
  offered: readonly OfferedModel[],
  turns: readonly Turn[],
): readonly string[] {
  const isOffered = (name: string | undefined) => offered.some(({ id }) => id === name);
  return models.map((model, index) => {
    const used = turns.at(-1)?.answers[index]?.model;
    return [model, used, offered[0]?.id].find((name) => name && isOffered(name)) ?? (model || used || "");
  });
}
