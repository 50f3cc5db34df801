import type { Config } from "../config/settings.ts";
import { AppError, orFail } from "../errors.ts";
import type { SettingChange, SettingStore, StoredSetting } from "../store/store.ts";
import { changeDetail } from "./change-detail.ts";
import type { Changeable } from "./changeable.ts";
import type { ValuesOf } from "./declarations.ts";

// biome-ignore lint/suspicious/noExplicitAny: a table has settings of many types, each of which goes with its own values.
type AnyTable = Readonly<Record<string, Changeable<any>>>;

/** New values by name; null takes one back to its default. They must have passed their schemas. */
export type GivenValues<Table> = { [Name in keyof Table]?: ValuesOf<Table>[Name] | null | undefined };

interface SettingsOptions<Table> {
  table: Table;
  config: Config;
  store: SettingStore;
  /** The database has a value that is not valid, or a setting that this version does not know. It is ignored. */
  onIgnored: (name: string) => void;
}

/** How a change is made. */
interface ChangeRequest {
  /** Whether the settings may be changed whose revision this is: someone else may have changed them. */
  mayChange(revision: string): boolean;
  /** Records the change, then calls `make`. `detail` has the old and the new values, without secrets. */
  record(detail: Record<string, unknown>, make: () => Promise<void>): Promise<void>;
}

/** A setting as an administrator sees it. Secrets are masked. */
export interface SettingState {
  text: string;
  value: unknown;
  default: unknown;
  /** When it was set, in milliseconds since 1970; null for one that has its default. */
  changedAt: number | null;
}

/** Servers of one database take turns, so few of them are faster again and again. */
const TRIES_MAX = 10;

const changedMeanwhile = () =>
  new AppError("settings_changed", {
    hint: "Read the settings again, see what was changed, and send the change with their new ETag.",
  });

/** The length of a value as JSON: a setting is read often, and stands in the audit. */
const VALUE_LENGTH_MAX = 65_536;

/** The settings in force: the values of the database, and else those of the command line and the environment. */
export class Settings<Table extends AnyTable> {
  /** The values in force. The object stays the same, and its values are replaced. */
  readonly values: ValuesOf<Table>;
  readonly #values: Record<string, unknown> = {};
  readonly #defaults: Readonly<Record<string, unknown>>;
  readonly #listeners: ((names: ReadonlySet<keyof Table>) => void)[] = [];
  /** The rows of the database, as they were last read. */
  #stored: readonly StoredSetting[] = [];
  /** The settings of which the database has a value that is in force. */
  #changedAt = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SettingsOptions<Table>) {
    const { table, config } = options;
    const entries = Object.entries(table).map(([name, { defaultOf }]) => [name, defaultOf(config)]);
    this.#defaults = Object.fromEntries(entries);
    Object.assign(this.#values, this.#defaults);
    this.values = this.#values as ValuesOf<Table>;
  }

  /** Identifies what the database has, the same at every server that uses it. */
  get revision(): string {
    const hasher = new Bun.CryptoHasher("sha256");
    return hasher.update(JSON.stringify(this.#stored)).digest("base64url");
  }

  /** Calls the listener after each change with the names of the settings that have other values now. */
  onChange(listener: (names: ReadonlySet<keyof Table>) => void): void {
    this.#listeners.push(listener);
  }

  /** Returns one setting for a part that needs no other. */
  select<Name extends keyof Table>(name: Name) {
    return {
      current: (): ValuesOf<Table>[Name] => this.values[name],
      onChange: (listener: (value: ValuesOf<Table>[Name]) => void): void =>
        this.onChange((names) => {
          if (names.has(name)) listener(this.values[name]);
        }),
    };
  }

  /** Reads what the database has now. Rejects if that fails, and all values stay as they are. */
  reload(): Promise<void> {
    return this.#inTurn(async () => this.#take(await this.options.store.list()));
  }

  /**
   * Changes all these settings, or none. Throws an `AppError`: settings_changed if someone else has changed the settings,
   * body_invalid for a value that is too long, and settings_change_failed.
   */
  change(given: GivenValues<Table>, { mayChange, record }: ChangeRequest): Promise<void> {
    return this.#inTurn(async () => {
      this.#take(await orFail("settings_change_failed", () => this.options.store.list()));
      if (!mayChange(this.revision)) throw changedMeanwhile();
      const changes = this.#changesOf(given);
      if (changes.length === 0) return;
      await record(this.#detailOf(given, changes), () => this.#store(given, mayChange));
    });
  }

  /** Stores the changes, again if another server of the database was faster and the caller does not mind. */
  async #store(given: GivenValues<Table>, mayChange: ChangeRequest["mayChange"]): Promise<void> {
    const { store } = this.options;
    const change = <T>(run: () => Promise<T>) => orFail("settings_change_failed", run);
    for (let tries = 1; mayChange(this.revision); tries++) {
      const stored = await change(() => store.change(this.#changesOf(given), this.#stored));
      if (stored) return this.#take(stored);
      if (tries === TRIES_MAX) break;
      this.#take(await change(() => store.list()));
    }
    throw changedMeanwhile();
  }

  /** Describes a setting; undefined for one that cannot be changed. */
  describe(name: string): SettingState | undefined {
    const { table } = this.options;
    const declared = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!declared) return undefined;
    const { show, masked = (value) => value } = declared;
    const value = this.#values[name];
    return {
      text: show(value),
      value: masked(value),
      default: masked(this.#defaults[name]),
      changedAt: this.#changedAt.get(name) ?? null,
    };
  }

  /** Runs one read or change after another, so that an old list never replaces a newer one. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Puts the values of the database in force. */
  #take(stored: readonly StoredSetting[]): void {
    const before = new Map(this.#stored.map((row) => [row.name, row]));
    const next = { ...this.#defaults };
    const changedAt = new Map<string, number>();
    for (const row of stored) {
      const parsed = this.#parsed(row);
      if (parsed) {
        next[row.name] = parsed.value;
        changedAt.set(row.name, row.changedAt);
      } else if (before.get(row.name)?.value !== row.value) this.options.onIgnored(row.name);
    }
    this.#stored = stored;
    this.#changedAt = changedAt;
    const isOther = (name: string) => !Bun.deepEquals(next[name], this.#values[name]);
    const changed = new Set(Object.keys(next).filter(isOther));
    for (const name of changed) this.#values[name] = next[name];
    if (changed.size > 0) for (const listener of this.#listeners) listener(changed);
  }

  #parsed({ name, value }: StoredSetting): { value: unknown } | undefined {
    const { table } = this.options;
    const schema = Object.hasOwn(table, name) ? table[name]?.schema : undefined;
    try {
      const { data, success } = schema?.safeParse(JSON.parse(value)) ?? { success: false, data: undefined };
      return success ? { value: data } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Returns the changes of the database. Throws body_invalid for a value that is too long. */
  #changesOf(given: GivenValues<Table>): SettingChange[] {
    const stored = new Map(this.#stored.map(({ name, value }) => [name, value]));
    const changes = Object.entries(given).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const text = value === null ? null : JSON.stringify(value);
      return text === (stored.get(name) ?? null) ? [] : [{ name, value: text }];
    });
    const long = changes.find(({ value }) => (value?.length ?? 0) > VALUE_LENGTH_MAX);
    if (!long) return changes;
    throw new AppError("body_invalid", {
      hint: `\`${long.name}\` is not valid: must have at most ${VALUE_LENGTH_MAX} characters as JSON.`,
    });
  }

  #detailOf(given: GivenValues<Table>, changes: readonly SettingChange[]): Record<string, unknown> {
    const entries = changes.map(({ name }) => {
      const { masked = (value) => value } = this.options.table[name] as Changeable<unknown>;
      const value: unknown = given[name];
      const from = masked(this.#values[name]);
      return [name, changeDetail(from, masked(value ?? this.#defaults[name]), value === null)];
    });
    return Object.fromEntries(entries);
  }
}
