import * as kinds from "./kinds.ts";
import { optional, setting } from "./setting.ts";

const PAGE_HINT =
  "Give a folder, or the https URL of a release page such as https://github.com/me/fork/releases.";

/** The origin of new versions: a release page, or a folder of this machine. */
const source = {
  value: "<URL|folder>",
  schema: kinds.parsed((text) => {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text.trim() || undefined;
    const url = URL.parse(text);
    if (!url?.hostname || !/^https?:$/.test(url.protocol)) return undefined;
    return url.username || url.password || url.search || url.hash ? undefined : url.href.replace(/\/+$/, "");
  }, PAGE_HINT),
};

/** The settings of updates. */
export const UPDATES = {
  autoUpdate: setting(
    "auto-update",
    "no",
    kinds.yesNo,
    "Update the installed service by itself, once a day, and only to a newer version.",
    { bare: "yes" },
  ),
  updateFrom: optional(
    "update-from",
    "the release page of this build",
    source,
    "Release page or folder that updates come from.",
  ),
  requireProvenance: setting(
    "require-provenance",
    "no",
    kinds.yesNo,
    "Refuse an update that does not prove that the project's workflow built it.",
    { bare: "yes" },
  ),
  updateRequest: optional(
    "update-request",
    "none",
    kinds.file,
    "File that an installed service creates to ask for its update. The installation sets it.",
  ),
};
