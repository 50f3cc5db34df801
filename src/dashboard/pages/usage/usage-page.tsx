import { api, usagePath } from "../../api/api.ts";
import { PageHeader } from "../../components/page-header.tsx";
import { hrefOf } from "../../state/route.ts";
import { session } from "../../state/session.ts";
import { useStore } from "../../state/use-store.ts";
import { OwnUsage } from "./own-usage.tsx";
import { type UsageSource, UsageView } from "./usage-view.tsx";

/** For administrators of everybody, or with `user` in the address of one; for users their own. */
export function UsagePage({ query }: { query: URLSearchParams }) {
  const now = useStore(session);
  if (now.state !== "in") return null;
  const { user } = now.who;
  if (user) return <OwnUsage user={user} />;
  const id = query.get("user") ?? undefined;
  return (
    <>
      <PageHeader
        title="Usage"
        lead={
          id === undefined ? (
            "What was asked, by whom, and what it took. Never the content, which is not kept."
          ) : (
            <>
              Of {id === "admin" ? "the admin key" : <span class="mono">{id}</span>} only.{" "}
              <a href={hrefOf("usage")}>Show everybody's</a>
            </>
          )
        }
      />
      <UsageView key={id ?? ""} source={sourceOf(id)} />
    </>
  );
}

function sourceOf(user: string | undefined): UsageSource {
  const of = user === undefined ? {} : { user };
  return {
    key: user ?? "",
    ask: (query, signal) => api.usage({ ...query, ...of }, signal),
    csvPath: (query) => usagePath("admin", { ...query, ...of, format: "csv" }),
    groups: user === undefined ? ["day", "user", "model", "agent"] : ["day", "model", "agent"],
  };
}
