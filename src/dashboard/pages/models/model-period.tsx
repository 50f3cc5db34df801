import { HOUR_MS } from "../../../durations.ts";
import { Select } from "../../components/field.tsx";
import { PERIODS, startOf } from "../../state/period.ts";
import { useAddress } from "../../state/use-address.ts";
import { text } from "../../texts/texts.ts";

/** The page shows what is now, so it has no longer periods. */
const OFFERED = PERIODS.filter(({ value }) => value !== "30d");
const [, DEFAULT] = PERIODS;

/** A long period has much to add up, and changes little. */
const RELOAD_MS = 5_000;
const SLOW_RELOAD_MS = 30_000;

/** Returns the period in the address, when it began, and how often to load it again. */
export function useModelPeriod() {
  const { get } = useAddress();
  const { value, ms } = OFFERED.find((period) => period.value === get("period")) ?? DEFAULT;
  return {
    period: value,
    from: () => startOf(value, Date.now()),
    reloadMs: ms <= HOUR_MS ? RELOAD_MS : SLOW_RELOAD_MS,
    /** For links to pages with the same period; undefined for the one that counts without any. */
    inAddress: value === DEFAULT.value ? undefined : value,
  };
}

export function PeriodSelect() {
  const { change } = useAddress();
  const { period } = useModelPeriod();
  return (
    <Select
      label={text("models.period")}
      name="period"
      value={period}
      options={OFFERED}
      onInput={(value) => change({ period: value === DEFAULT.value ? undefined : value })}
    />
  );
}
