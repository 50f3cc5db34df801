import { expect, test } from "bun:test";
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatDuration,
  formatMoney,
  formatNumber,
  formatShare,
  formatShort,
  formatShortMoney,
  formatTime,
  formatUptime,
  formatZoned,
} from "../../src/dashboard/format.ts";

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [999.5, "1 s"],
  [1234, "1.2 s"],
  [59_949, "59.9 s"],
  [59_960, "1 min"],
  [185_000, "3 min 5 s"],
  [3_599_999, "1 h"],
  [7_500_000, "2 h 5 min"],
  [86_400_000, "1 d"],
  [100_800_000, "1 d 4 h"],
])("a duration of %d ms is shown as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("an uptime is shown in whole seconds, and is at least one", () => {
  expect(formatUptime(48_230)).toBe("48 s");
  expect(formatUptime(12)).toBe("1 s");
});

test("numbers below ten have one decimal place, and large numbers have separators", () => {
  expect([0, 0.25, 9.96, 10.4, 1234.5].map(formatNumber)).toEqual(["0", "0.3", "10", "10", "1,235"]);
  expect([950, 12_345, 3_400_000].map(formatShort)).toEqual(["950", "12.3K", "3.4M"]);
});

test("an unknown value is shown as a dash, not as zero", () => {
  for (const format of [formatNumber, formatShort, formatDuration, formatTime, formatClock]) {
    expect(format(null)).toBe("–");
    expect(format(undefined)).toBe("–");
  }
  expect(formatAgo(null, 0)).toBe("–");
  expect(formatShare(0, 0)).toBe("–");
});

test.each([
  [0, "just now"],
  [1999, "just now"],
  [2000, "2 s ago"],
  [-5000, "just now"],
  [5400, "5 s ago"],
  [200_000, "3 min ago"],
  [7_500_000, "2 h ago"],
])("a time %d ms ago is shown with its largest unit: %s", (ms, text) => {
  expect(formatAgo(new Date(1e12 - ms).toISOString(), 1e12)).toBe(text);
});

test("a share is shown as a percentage", () => {
  expect(formatShare(1, 3)).toBe("33%");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [12_345, "12.3 kB"],
  [99_960, "100 kB"],
  [999_600, "1 MB"],
  [4_700_000_000, "4.7 GB"],
  [5_000_000_000_000, "5,000 GB"],
])("%d bytes are shown as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "EUR", "€0.00"],
  [12.5, "EUR", "€12.50"],
  [1_234_567.891, "USD", "$1,234,567.89"],
  [0.5, "EUR", "€0.50"],
  [0.000161, "EUR", "€0.000161"],
  [0.0000000012345, "EUR", "€0.00000000123"],
  [0.25, "JPY", "¥0.25"],
  [250, "JPY", "¥250"],
  [3, "CHF", "CHF\u00a03.00"],
  [null, "EUR", "–"],
])("the amount %p in %s is shown as %s", (value, currency, text) => {
  expect(formatMoney(value, currency)).toBe(text);
});

test.each([
  [9_999.99, "EUR", "€9,999.99"],
  [10_000, "EUR", "€10K"],
  [18_082_836.52, "EUR", "€18.1M"],
  [123_456_789, "JPY", "¥123M"],
  [0.000161, "EUR", "€0.000161"],
  [null, "EUR", "–"],
])("a tile shows the amount %p in %s as %s", (value, currency, text) => {
  expect(formatShortMoney(value, currency)).toBe(text);
});

test("a time with its zone ends with the zone of the browser on that day", () => {
  const [day, clock, zone] = formatZoned("2026-11-23T14:05:00Z").split(" ");
  expect(`${day} ${clock}`).toBe(formatTime("2026-11-23T14:05:00Z"));
  expect(zone).toMatch(/^[A-Z]{2,5}([+-]\d{1,2}(:\d\d)?)?$/);
});
