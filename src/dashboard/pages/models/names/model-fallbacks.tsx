import { api } from "../../../api/api.ts";
import type { AdminModel } from "../../../api/types.ts";
import { Button } from "../../../components/button.tsx";
import { useState } from "../../../state/hooks.ts";
import { useFetch } from "../../../state/use-fetch.ts";
import { text } from "../../../texts/texts.ts";
import { FallbackDialog } from "./fallback-dialog.tsx";
import { FallbackList } from "./fallback-list.tsx";
import { useModelSettings } from "./use-model-settings.ts";

/** The fallbacks of one model, with a button to edit them. */
export function ModelFallbacks({ model, onChange }: { model: AdminModel; onChange: () => void }) {
  const settings = useModelSettings(onChange);
  const { value: offered } = useFetch((signal) => api.models(signal), []);
  const [isOpen, setOpen] = useState(false);
  const { fallbacks, id } = model;
  return (
    <div class="row">
      {fallbacks.length > 0 ? (
        <FallbackList models={fallbacks} offered={offered ?? fallbacks} />
      ) : (
        <span>{text("models.noneSet")}</span>
      )}
      {settings.current ? (
        <Button isSmall onClick={() => setOpen(true)}>
          {text("models.fallback.editHere")}
        </Button>
      ) : null}
      {isOpen ? (
        <FallbackDialog
          settings={settings}
          offered={offered ?? []}
          model={id}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </div>
  );
}
