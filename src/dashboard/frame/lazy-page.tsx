import type { FC } from "hono/jsx/dom";
import { Button } from "../components/button.tsx";
import { EmptyState } from "../components/card.tsx";
import { useEffect } from "../state/hooks.ts";
import { useFetch } from "../state/use-fetch.ts";
import { text } from "../texts/texts.ts";
import { titleShown } from "./page-focus.ts";

export interface PageProps {
  argument: string;
  query: URLSearchParams;
}

/**
 * Returns a page that is loaded when it is shown for the first time, so that the first page need not wait for all
 * others. Says so if it cannot be loaded: after an update, an old page finds its files no longer.
 */
export function lazyPage(load: () => Promise<FC<PageProps>>): FC<PageProps> {
  let loaded: FC<PageProps> | undefined;
  const loadOnce = async () => {
    loaded ??= await load();
    return { View: loaded };
  };
  return function LazyPage(props) {
    const { value, error } = useFetch(loadOnce, []);
    const View = loaded ?? value?.View;
    useEffect(() => {
      if (View) titleShown();
    }, [View]);
    if (View) return <View {...props} />;
    if (error === undefined) return <p class="muted">{text("frame.loading")}</p>;
    return (
      <EmptyState title={text("frame.notLoaded")}>
        <Button kind="primary" onClick={() => location.reload()}>
          {text("frame.reload")}
        </Button>
      </EmptyState>
    );
  };
}
