/** Whether the path is in a home folder, which other users, and so a service of the system, cannot reach. */
export function isInHome(path: string): boolean {
  return /^(\/home|\/root|\/run\/user|\/Users|[a-z]:\\Users)([\\/]|$)/i.test(path);
}
