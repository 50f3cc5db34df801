import type { NewUser } from "../../src/store/store.ts";

export const newUser = (id: string, tokenHash = `hash of ${id}`): NewUser => ({
  id,
  tokenHash,
  sealedToken: Buffer.from(`sealed for ${id}`),
});
