import { api } from "../../api/api.ts";
import { Card } from "../../components/card.tsx";
import { Combobox } from "../../components/combobox/combobox.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { RadioCards } from "../../components/radio-cards.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { useState } from "../../state/hooks.ts";
import { session } from "../../state/session.ts";
import { useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { type TextKey, text } from "../../texts/texts.ts";
import { GuideCard } from "./guide-card.tsx";
import type { Guide, System } from "./guides/guide.ts";
import { GUIDES } from "./guides/guides.ts";
import { OwnCards } from "./own-cards.tsx";
import { systemOf } from "./system.ts";
import { TokenCard } from "./token-card.tsx";

const SYSTEMS: readonly { value: System; label: string }[] = [
  { value: "linux", label: "Linux" },
  { value: "macos", label: "macOS" },
  { value: "windows", label: "Windows" },
];

const KINDS: readonly { kind: Guide["kind"]; legend: TextKey }[] = [
  { kind: "coding", legend: "connect.kind.coding" },
  { kind: "chat", legend: "connect.kind.chat" },
  { kind: "code", legend: "connect.kind.code" },
];

/** Stands for a model in the lines while there is none. */
const MODEL_PLACE = "llama3.2";

/** How to use the server from other programs, with lines to copy for each. */
export function ConnectPage() {
  const models = useFetch((signal) => api.models(signal), []);
  const address = useAddress();
  const current = useStore(session);
  const [system, setSystem] = useState<System>(systemOf(navigator.userAgent));
  const offered = models.value ?? [];
  const guide = GUIDES.find(({ id }) => id === address.get("client")) ?? (GUIDES[0] as Guide);
  const model = offered.find((name) => name === address.get("model")) ?? offered[0] ?? MODEL_PLACE;
  const user = current.state === "in" ? current.who.user : null;
  return (
    <>
      <PageHeader title={text("connect.title")} lead={text("connect.lead")} />
      <div class="connect">
        <div class="stack">
          <TokenCard user={user} />
          <Card title={text("connect.client.title")}>
            <div class="stack">
              <div class="connect-choice">
                {offered.length > 0 ? (
                  <Combobox
                    label={text("try.model")}
                    name="model"
                    value={model}
                    options={offered.map((value) => ({ value }))}
                    emptyText={text("try.model.none")}
                    onChoose={(name) => address.change({ model: name })}
                  />
                ) : null}
                <SegmentedControl
                  label={text("connect.system")}
                  value={system}
                  options={SYSTEMS}
                  onChoose={setSystem}
                />
              </div>
              {models.value && offered.length === 0 ? (
                <p class="hint">{text("connect.models.none", { model: MODEL_PLACE })}</p>
              ) : null}
              {KINDS.map(({ kind, legend }) => (
                <RadioCards
                  key={kind}
                  legend={text(legend)}
                  name="client"
                  options={GUIDES.filter((one) => one.kind === kind).map(({ id, title }) => ({
                    value: id,
                    title,
                  }))}
                  value={guide.id}
                  onChoose={(id) => address.change({ client: id })}
                />
              ))}
            </div>
          </Card>
        </div>
        <div class="stack">
          <GuideCard key={guide.id} guide={guide} model={model} system={system} />
          {user ? <OwnCards user={user} /> : null}
        </div>
      </div>
    </>
  );
}
