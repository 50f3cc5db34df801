/** A setting that an administrator has set. */
export interface StoredSetting {
  name: string;
  /** The value as JSON. */
  value: string;
  /** Milliseconds since 1970. */
  changedAt: number;
}

/** A new value as JSON; null deletes it. */
export type SettingChange = Pick<StoredSetting, "name"> & { value: string | null };

/** The settings that override those of the command line. There are few. */
export interface SettingStore {
  /** Lists all by their names. */
  list(): Promise<StoredSetting[]>;
  /**
   * Makes all the changes, each of another setting, and returns what `list` does then. False, and nothing changes, if
   * the stored settings are no longer `known`, as an earlier `list` returned them.
   */
  change(
    changes: readonly SettingChange[],
    known: readonly StoredSetting[],
  ): Promise<StoredSetting[] | false>;
}

/** Whether both lists, sorted by name, are the same. */
export function areSameSettings(one: readonly StoredSetting[], other: readonly StoredSetting[]): boolean {
  const isSame = ({ name, value, changedAt }: StoredSetting, nth: number) => {
    const match = other[nth];
    return match?.name === name && match.value === value && match.changedAt === changedAt;
  };
  return one.length === other.length && one.every(isSame);
}
