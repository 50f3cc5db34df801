import { api, usagePath } from "../../api/api.ts";
import { PageHeader } from "../../components/page-header.tsx";
import { hrefOf } from "../../state/route.ts";
import { session } from "../../state/session.ts";
import { useStore } from "../../state/use-store.ts";
import { richText, text } from "../../texts/texts.ts";
import { ADMIN_ID } from "../users/principal-link.tsx";
import { OwnUsage } from "./own-usage.tsx";
import { type UsageSource, UsageView } from "./usage-view.tsx";

/** Administrators see everyone's usage or, with `user` in the address, one user's. Users see their own. */
export function UsagePage({ query }: { query: URLSearchParams }) {
  const current = useStore(session);
  if (current.state !== "in") return null;
  const { user } = current.who;
  if (user) return <OwnUsage user={user} />;
  const id = query.get("user") ?? undefined;
  return (
    <>
      <PageHeader
        title={text("usage.title")}
        lead={
          id === undefined ? (
            text("usage.lead")
          ) : (
            <>
              {id === ADMIN_ID
                ? text("usage.onlyAdmin")
                : richText("usage.onlyUser", { user: <span class="mono">{id}</span> })}{" "}
              <a href={hrefOf("usage")}>{text("usage.showAll")}</a>
            </>
          )
        }
      />
      <UsageView key={id ?? ""} source={sourceOf(id)} />
    </>
  );
}

function sourceOf(user: string | undefined): UsageSource {
  const scope = user === undefined ? {} : { user };
  return {
    key: user ?? "",
    user,
    load: (query, signal) => api.usage({ ...query, ...scope }, signal),
    csvPath: (query) => usagePath("admin", { ...query, ...scope, format: "csv" }),
    groups: user === undefined ? ["day", "user", "model", "agent"] : ["day", "model", "agent"],
  };
}
