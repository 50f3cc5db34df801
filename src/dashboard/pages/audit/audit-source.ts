import type { AuditPage } from "../../api/types.ts";

/** A page may be empty though there are older changes that match, as the server looks through some at a time. */
const LOOKS_MAX = 10;

/** Loads the newest page before `before` that is not empty, as far as a few requests find one. */
export async function loadAudit(
  load: (page: { before: number | undefined }) => Promise<AuditPage>,
  before: number | undefined,
): Promise<AuditPage> {
  let page = await load({ before });
  for (let looks = 1; looks < LOOKS_MAX; looks++) {
    if (page.audit.length > 0 || page.next === null) break;
    page = await load({ before: page.next });
  }
  return page;
}
