/** The drawings of the icons: paths in a square of 24, drawn with lines. */
const PATHS = {
  overview: "M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z",
  traffic: "M3 17l5-6 4 4 5-8 4 5",
  requests: "M4 6h16M4 12h16M4 18h10",
  agents: "M4 5h16v6H4zM4 14h16v6H4zM8 8h.01M8 17h.01",
  models: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  users: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6 7-6s7 2 7 6M16 4a4 4 0 0 1 0 7M18 15c3 .7 4 3 4 6",
  usage: "M5 20V10M12 20V4M19 20v-7",
  prices: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15 8.5a4 4 0 1 0 0 7M8 11h5M8 13.5h5",
  try: "M4 5h16v11H9l-5 4z",
  connect: "M9 7V3M15 7V3M7 7h10v4a5 5 0 0 1-10 0zM12 16v5",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  audit: "M6 3h9l4 4v14H6zM9 12h7M9 16h7",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4.5 3.5-6.5 8-6.5s8 2 8 6.5",
  rename: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L21 21",
} as const;

export type IconName = keyof typeof PATHS;

export const isIconName = (name: string): name is IconName => Object.hasOwn(PATHS, name);

/** A drawing beside a text that says the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
