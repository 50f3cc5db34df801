export const USAGE_GROUPS = ["user", "agent", "model", "day"] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];
