import type { FC } from "hono/jsx/dom";
import { api } from "../api/api.ts";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/card.tsx";
import { useEffect } from "../state/hooks.ts";
import { useFetch } from "../state/use-fetch.ts";
import { text } from "../texts/texts.ts";
import { titleShown } from "./page-focus.ts";

export interface PageProps {
  argument: string;
  query: URLSearchParams;
}

interface LazyPage {
  View: FC<PageProps>;
  /** Loads the page before it is shown. If that fails, it is loaded when it is shown. */
  preload(): Promise<void>;
}

/**
 * Returns a page that is loaded when it is shown for the first time, so that the first page need not wait for all
 * others. While the server cannot be reached it tries again; after an update, an old page finds its files no longer.
 */
export function lazyPage(load: () => Promise<FC<PageProps>>): LazyPage {
  let loaded: FC<PageProps> | undefined;
  const loadOnce = async () => {
    try {
      loaded ??= await load();
    } catch {
      // A browser does not say why. This rejects if the server cannot be reached.
      await api.session();
      throw new Error(text("frame.notLoaded"));
    }
    return { View: loaded };
  };
  const View: FC<PageProps> = (props) => {
    const { value, error } = useFetch(loadOnce, []);
    const Loaded = loaded ?? value?.View;
    useEffect(() => {
      if (Loaded) titleShown();
    }, [Loaded]);
    if (Loaded) return <Loaded {...props} />;
    if (error === undefined) return <p class="muted">{text("frame.loading")}</p>;
    return (
      <div class="stack">
        <Notice tone="bad">{error}</Notice>
        <div>
          <Button onClick={() => location.reload()}>{text("frame.reload")}</Button>
        </div>
      </div>
    );
  };
  const preload = async () => {
    loaded ??= await load().catch(() => undefined);
  };
  return { View, preload };
}
