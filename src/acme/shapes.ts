import { z } from "zod";

/** RFC 8555 requires TLS for every address. */
const address = z.url({ protocol: /^https$/ }).max(2048);
const status = z.string().max(64);

/** A CA's problem document. Its texts are shown to the operator only. */
export const Problem = z.object({
  type: z.string().max(256).default("about:blank"),
  detail: z.string().default(""),
  subproblems: z
    .array(z.object({ type: z.string().max(256), detail: z.string().default("") }))
    .max(200)
    .optional(),
});
export type Problem = z.output<typeof Problem>;

export const Directory = z.object({
  newNonce: address,
  newAccount: address,
  newOrder: address,
  renewalInfo: address.optional(),
  meta: z.object({ externalAccountRequired: z.boolean().optional() }).optional(),
});
export type Directory = z.output<typeof Directory>;

export const Account = z.object({ status });

export const Order = z.object({
  status,
  authorizations: z.array(address).max(100),
  finalize: address,
  certificate: address.optional(),
  error: Problem.optional(),
});
export type Order = z.output<typeof Order>;

const Challenge = z.object({
  type: z.string().max(64),
  url: address,
  // https://www.rfc-editor.org/rfc/rfc8555#section-8.3: base64url.
  token: z
    .string()
    .regex(/^[\w-]{1,512}$/)
    .optional(),
  error: Problem.optional(),
});

export const Authorization = z.object({
  status,
  identifier: z.object({ value: z.string().max(253) }),
  challenges: z.array(Challenge).max(100),
});
export type Authorization = z.output<typeof Authorization>;

/** https://www.rfc-editor.org/rfc/rfc9773 */
export const RenewalInfo = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
});
