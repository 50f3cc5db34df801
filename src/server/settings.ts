import type { Config } from "../config/settings.ts";
import { CommandError, messageOfError } from "../errors.ts";
import { causeOf, type Log } from "../log/log.ts";
import { PriceBook } from "../prices/price-book.ts";
import type { RelayLimits } from "../relay/types.ts";
import { CHANGEABLE } from "../settings/declarations.ts";
import { Settings } from "../settings/settings.ts";
import type { Store } from "../store/store.ts";
import { every } from "../time.ts";

/** A change by another server of the database takes effect within this time, also if its frame was lost. */
const REREAD_MS = 1_000;

export type ServerSettings = Awaited<ReturnType<typeof openSettings>>;

/**
 * Reads the settings that administrators have changed, and keeps them up to date. Throws a `CommandError` if the database
 * does not tell them: without them, the clean-up might delete rows that must be kept.
 */
export async function openSettings({ config, log, store }: { config: Config; log: Log; store: Store }) {
  const settings = new Settings({
    ...{ table: CHANGEABLE, config, store: store.settings },
    onIgnored: (name) => log.warn("setting_ignored", { setting: name }),
  });
  try {
    await settings.reload();
  } catch (cause) {
    throw new CommandError(`Cannot read the settings in the database: ${messageOfError(cause)}.`, { cause });
  }
  // The secrets of the command line and the environment are masked from the start.
  const mask = () => {
    const { url, secret } = settings.values.webhook;
    for (const text of [url, secret]) if (text !== null) log.mask(text);
  };
  mask();
  settings.onChange(mask);
  let isReadable = true;
  const reload = async () => {
    try {
      await settings.reload();
      isReadable = true;
    } catch (error) {
      // One report is enough until they can be read again.
      if (isReadable) log.error("settings_unreadable", { cause: causeOf(error) });
      isReadable = false;
    }
  };
  // The relay reads its limits each time. The names are the same.
  const limits: RelayLimits = { ...config, ...settings.values };
  settings.onChange(() => void Object.assign(limits, settings.values));
  const prices = new PriceBook(settings.values.prices, settings.values.modelAliases);
  prices.useFallbacks(settings.values.fallbacks);
  settings.onChange(() => {
    prices.replace(settings.values.prices);
    prices.useAliases(settings.values.modelAliases);
    prices.useFallbacks(settings.values.fallbacks);
  });
  const isShared = config.database !== undefined;
  const stop = isShared ? every(REREAD_MS, () => void reload()) : () => {};
  return { settings, values: settings.values, limits, prices, reload: () => void reload(), stop };
}
