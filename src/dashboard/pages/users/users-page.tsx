import { UserListPage } from "./user-list-page.tsx";
import { UserPage } from "./user-page.tsx";

/** Shows all users, or the user whose id the address contains. */
export function UsersPage({ argument }: { argument: string }) {
  return argument === "" ? <UserListPage /> : <UserPage id={argument} />;
}
