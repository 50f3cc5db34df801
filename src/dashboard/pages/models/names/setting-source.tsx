import { Button } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/dialog.tsx";
import { showToast } from "../../../components/toast.tsx";
import { formatTime } from "../../../format.ts";
import { useState } from "../../../state/hooks.ts";
import { countedText, richText, text } from "../../../texts/texts.ts";
import type { ModelSettings, NameSetting } from "./use-model-settings.ts";

const FLAGS = {
  modelAliases: "models.source.back.modelAliases",
  fallbacks: "models.source.back.fallbacks",
} as const;

/** Says where a setting comes from, and takes it back to the flags. */
export function SettingSource({ settings, name }: { settings: ModelSettings; name: NameSetting }) {
  const { changedAt, from, label, default: value } = settings.sourceOf(name);
  const [isAsking, setAsking] = useState(false);
  if (changedAt === null)
    return (
      <p class="card-lead muted">
        {from === "default"
          ? richText("models.source.default", { flag: <code>{label}</code> })
          : richText("models.source.flag", { flag: <code>{from}</code> })}
      </p>
    );
  const count = Object.keys((value ?? {}) as object).length;
  return (
    <div class="card-lead row">
      <span class="muted">{text("models.source.database", { time: formatTime(changedAt) })}</span>
      <Button isSmall onClick={() => setAsking(true)}>
        {text("models.source.back")}
      </Button>
      {isAsking ? (
        <ConfirmDialog
          title={text("models.source.back.title")}
          action={text("models.source.back.action")}
          onConfirm={async () => {
            await settings.change(() => ({ [name]: null }));
            showToast(text("models.source.back.done"));
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            {countedText(FLAGS[name], count)} {text("models.source.back.lost")}
          </p>
        </ConfirmDialog>
      ) : null}
    </div>
  );
}
