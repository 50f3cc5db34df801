import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from "@nats-io/jwt";

/** The subjects on which a user may publish and subscribe. */
interface Permissions {
  pub?: { allow: string[] };
  sub?: { allow: string[] };
}

/** Any number of everything, as NATS tools write it. */
const UNBOUNDED = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** An operator of NATS with one account, which signs users. */
export async function createNatsOperator() {
  const [operator, account] = [createOperator(), createAccount()];
  const operatorJwt = await encodeOperator("test", operator);
  const accountJwt = await encodeAccount("nodes", account, { limits: UNBOUNDED }, { signer: operator });
  return {
    /** The configuration of a server that trusts the operator. */
    config: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountJwt} }\n`,
    /** Returns the text of the credentials file of a new user. `expiresAt`: in seconds since 1970. */
    async creds(permissions: Permissions = {}, expiresAt?: number): Promise<string> {
      const user = createUser();
      const jwt = await encodeUser(
        "node",
        user,
        account,
        permissions,
        expiresAt === undefined ? {} : { exp: expiresAt },
      );
      return new TextDecoder().decode(fmtCreds(jwt, user));
    },
  };
}
