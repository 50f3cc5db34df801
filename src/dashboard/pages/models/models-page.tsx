import { ModelPage } from "./model-page.tsx";
import { ModelsOverview } from "./models-overview.tsx";

/** `#/models` is the list of models; `#/models/<id>` shows one of them. */
export function ModelsPage({ argument }: { argument: string }) {
  return argument === "" ? <ModelsOverview /> : <ModelPage key={argument} id={argument} />;
}
