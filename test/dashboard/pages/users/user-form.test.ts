import { expect, test } from "bun:test";
import { changesOf, EMPTY_FORM, formValuesOf } from "../../../../src/dashboard/pages/users/user-form.ts";
import { userOf } from "../../../support/dashboard-users.ts";

test("empty and missing fields change nothing in an empty form", () => {
  expect(changesOf(EMPTY_FORM, EMPTY_FORM)).toEqual({});
  expect(changesOf(EMPTY_FORM, {})).toEqual({});
});

test("fields are converted to the form that the API takes", () => {
  const fields = {
    name: "Ann",
    models: " a, b ,,a\n c",
    requests_per_minute: "60",
    tokens_per_day: "1000000",
    max_parallel: "4",
    budget_day: "2.50",
    budget_month: "0.000001",
    expires_at: "2027-03-01T12:30",
    priority: "high",
    agent_tags: "home, gpu",
  };
  expect(changesOf(EMPTY_FORM, fields)).toEqual({
    name: "Ann",
    models: ["a", "b", "c"],
    requests_per_minute: 60,
    tokens_per_day: 1_000_000,
    max_parallel: 4,
    budget_day: 2.5,
    budget_month: 0.000001,
    expires_at: new Date("2027-03-01T12:30").toISOString(),
    priority: "high",
    agent_tags: ["home", "gpu"],
  });
});

test("a normal priority is shown as none, which means the same, and both can be removed", () => {
  expect(formValuesOf(userOf({ priority: "normal" }))).toEqual(EMPTY_FORM);
  const values = formValuesOf(userOf({ priority: "low", agent_tags: ["home", "gpu"] }));
  expect(values).toMatchObject({ priority: "low", agent_tags: "home, gpu" });
  expect(changesOf(values, { ...values, priority: "", agent_tags: "" })).toEqual({
    priority: null,
    agent_tags: null,
  });
});

test("only changed fields are sent, and an emptied field removes its value", () => {
  const user = userOf({
    name: "Ann",
    models: ["a", "b"],
    requests_per_minute: 60,
    expires_at: "2027-03-01T12:30:59.000Z",
  });
  const values = formValuesOf(user);
  expect(changesOf(values, values)).toEqual({});
  expect(changesOf(values, { ...values, requests_per_minute: "", max_parallel: "2" })).toEqual({
    requests_per_minute: null,
    max_parallel: 2,
  });
  expect(changesOf(values, { ...values, models: " , ", expires_at: "" })).toEqual({
    models: null,
    expires_at: null,
  });
});

test.each(["0", "-1", "1.5", "many", "1e400"])("a limit of %s is refused", (tokens_per_day) => {
  expect(() => changesOf(EMPTY_FORM, { tokens_per_day })).toThrow(
    "Tokens per day must be a whole number greater than 0.",
  );
});

test("an expiry date that is not a time is refused", () => {
  expect(() => changesOf(EMPTY_FORM, { expires_at: "tomorrow" })).toThrow("expiry date is not valid");
});

test.each(["0", "0.00", "-1", "1,5", "1e3", "0.0000001", "much"])(
  "a budget of %s is refused",
  (budget_day) => {
    expect(() => changesOf(EMPTY_FORM, { budget_day })).toThrow(
      "Budget per day must be an amount greater than 0, with at most six decimal places.",
    );
  },
);
