const NONE = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Texts for people; a dash for what is not known. */
type Maybe<T> = T | null | undefined;

/** Whole above ten, else with one digit: 1,234 or 0.3. */
export function formatNumber(value: Maybe<number>): string {
  if (value === null || value === undefined) return NONE;
  return (Math.abs(value) < 10 ? tenth : whole).format(value);
}

/** 1,234: every digit of a whole number. */
export function formatWhole(value: number): string {
  return whole.format(value);
}

/** 12.3K, for axes and tiles. */
export function formatShort(value: Maybe<number>): string {
  return value === null || value === undefined ? NONE : short.format(value);
}

/** 12 ms, 1.2 s, 3 min 5 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(ms: Maybe<number>): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 999.5) return `${whole.format(ms)} ms`;
  if (ms < 59_950) return `${tenth.format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, "min", "s");
  const minutes = Math.floor(seconds / 60);
  return minutes < 1440 ? pair(minutes, 60, "h", "min") : pair(Math.floor(minutes / 60), 24, "d", "h");
}

/** As `formatDuration`, without parts of a second: 42 s, 3 min 5 s. */
export function formatUptime(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms / 1000)) * 1000);
}

function pair(value: number, base: number, major: string, minor: string): string {
  const rest = value % base;
  return `${Math.floor(value / base)} ${major}${rest > 0 ? ` ${rest} ${minor}` : ""}`;
}

/** 14:05:09, in the browser's own zone. */
export function formatClock(time: Maybe<string | number>): string {
  if (time === null || time === undefined) return NONE;
  return new Date(time).toLocaleTimeString("en-GB");
}

/** 2026-11-23 14:05, in the browser's own zone. */
export function formatTime(time: Maybe<string | number>): string {
  if (time === null || time === undefined) return NONE;
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** “just now”, “5 s ago”, “3 min ago”: the larger unit only. `now` in milliseconds since 1970. */
export function formatAgo(time: Maybe<string | number>, now: number): string {
  if (time === null || time === undefined) return NONE;
  const ms = now - new Date(time).getTime();
  if (ms < 2000) return "just now";
  return `${formatDuration(ms).split(" ").slice(0, 2).join(" ").replace(/\.\d/, "")} ago`;
}

export function formatShare(part: number, all: number): string {
  return all > 0 ? `${whole.format((100 * part) / all)} %` : NONE;
}

/** One agent, two agents. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}
