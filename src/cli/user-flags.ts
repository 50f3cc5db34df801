/** What may be said of a user: the field that each flag stands for, and what stands for its value. */
export const FIELD_FLAGS = {
  name: { field: "name", value: "<name>", doc: "What people call the user; commands find a user by it." },
  expires: {
    field: "expires_at",
    value: "<time>",
    doc: "From when on the tokens are refused: 30d, 2026-12-31.",
  },
  models: { field: "models", value: "<models>", doc: "The models that may be used, separated by commas." },
  "requests-per-minute": {
    field: "requests_per_minute",
    value: "<number>",
    doc: "Asks within any 60 seconds.",
  },
  "tokens-per-day": { field: "tokens_per_day", value: "<number>", doc: "Tokens within a day, in UTC." },
  "max-parallel": {
    field: "max_parallel",
    value: "<number>",
    doc: "Asks at the same time, waiting ones too.",
  },
} as const;

const OTHER_FLAGS = {
  grace: { value: "<time>", doc: "rotate: for how long the old token is valid too (0)." },
  json: { value: "", doc: "Print JSON, for programs." },
} as const;

export type FieldFlag = keyof typeof FIELD_FLAGS;
export type UserFlag = FieldFlag | keyof typeof OTHER_FLAGS | "data";
export const USER_FIELD_FLAGS = Object.keys(FIELD_FLAGS) as FieldFlag[];

/** For the help. */
export const USER_FLAGS: readonly (readonly [string, string])[] = Object.entries({
  ...FIELD_FLAGS,
  ...OTHER_FLAGS,
}).map(([name, { value, doc }]) => [`--${name} ${value}`.trimEnd(), doc]);
