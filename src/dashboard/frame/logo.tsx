/** The program's logo: a hub and its agents. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" class="logo-back" />
      <path d="M16 16 8.5 9M16 16l7.5-7M16 16v8.5" class="logo-lines" />
      <circle cx="16" cy="16" r="4" />
      <circle cx="8" cy="8.5" r="2.6" />
      <circle cx="24" cy="8.5" r="2.6" />
      <circle cx="16" cy="25" r="2.6" />
    </svg>
  );
}
