const VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]{1,40})?$/;

/** Returns the version in a text such as `v0.2.0`; undefined if it is not one of https://semver.org. */
export function readVersion(text: string): string | undefined {
  const version = text.trim().replace(/^v/, "");
  return VERSION.test(version) ? version : undefined;
}

/** Returns a number below, equal to or above 0, as `version` is older than, equal to or newer than `other`. */
export function compareVersions(version: string, other: string): number {
  return Bun.semver.order(version, other);
}
