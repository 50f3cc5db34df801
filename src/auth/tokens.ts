/** 122 random bits as a UUID, the shape of the reference's tokens. */
export const newToken = (): string => crypto.randomUUID();

/** The form in which a token is stored and looked up: SHA-256 in lower-case hex. */
export const hashToken = (token: string): string => Bun.SHA256.hash(token, "hex");
