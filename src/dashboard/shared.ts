/**
 * Imports the parts that most pages need and that are small enough to come with the first file. The bundler would make a
 * file of each of them, and a page would wait for a dozen.
 */
import "../durations.ts";
import "../printable.ts";
import "../shell-quote.ts";
import "./components/badge.tsx";
import "./components/chart.tsx";
import "./components/copy-button.tsx";
import "./components/list/filter-chip.tsx";
import "./components/list/pagination.tsx";
import "./components/list/use-show-more.tsx";
import "./components/name.tsx";
import "./components/radio-cards.tsx";
import "./components/scroll-area.tsx";
import "./components/stale-notice.tsx";
import "./components/table.tsx";
import "./format.ts";
import "./name-list.ts";
import "./pages/agents/join-link.tsx";
import "./pages/requests/request-filter.ts";
import "./pages/requests/request-table.tsx";
import "./pages/traffic/traffic-view.ts";
import "./pages/usage/media-facts.ts";
import "./pages/users/principal-link.tsx";
import "./state/query.ts";
import "./state/server-url.ts";
import "./state/use-address.ts";
import "./state/use-live.ts";
import "./state/use-poll.ts";
import "./state/use-typing.ts";
import "./texts/code.tsx";
