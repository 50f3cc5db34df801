import { UserListPage } from "./user-list-page.tsx";
import { UserPage } from "./user-page.tsx";

/** All users, or the one whose id the address names. */
export function UsersPage({ argument }: { argument: string }) {
  return argument === "" ? <UserListPage /> : <UserPage id={argument} />;
}
