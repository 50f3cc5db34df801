/** Selects the names and texts that are shown whole because they have the focus, as `style/table.css` does. */
const WHOLE =
  ".name:is(:focus:not(a), :focus-visible, a:focus-visible > *, :has(:focus-visible)), .long-text:focus";

/**
 * Keeps a name whole until a press has ended. Otherwise it is cut when it loses the focus, which moves what is pressed away
 * before the mouse button is released.
 */
export function holdNames(): void {
  addEventListener("pointerdown", () => document.querySelector(WHOLE)?.classList.add("held"), true);
  addEventListener("pointerup", () =>
    setTimeout(() => document.querySelector(".held")?.classList.remove("held")),
  );
}
