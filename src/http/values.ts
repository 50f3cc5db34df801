import { z } from "zod";

/** The schemas of the values that many requests and responses hold. */
export const text = z.string();
export const time = z.iso.datetime({ offset: true });
export const count = z.int().nonnegative();
/** An amount of money in units of the server's currency. */
export const amount = z.number().nonnegative();
/** The server's currency, by its code of ISO 4217; null if it has no prices. */
export const currency = text.nullable();

/** Returns the schema of a JSON object with these fields and no others, by its name in the API document. */
export const namedObject = <Fields extends z.ZodRawShape>(id: string, fields: Fields) =>
  z.strictObject(fields).meta({ id });

/** A value of each kind for the examples of the API document. */
export const SAMPLE = {
  userId: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
  token: "0b1f7c1a-5e7e-4a8e-8f5e-3d0f4b0c9d4e",
  agentId: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
  requestId: "req_6f1c2c1e-2b1e-4a55-9a0e-6d5b2f0f1a11",
  model: "llama3.2",
  version: "0.1.0",
  time: "2026-11-23T08:10:14.924Z",
  laterTime: "2026-11-23T09:01:44.120Z",
};
