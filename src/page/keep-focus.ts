import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** What disappears while it has the focus would leave it at the top of the page: it goes to what `next` finds beside it. */
export function useFocusAfter(
  held: RefObject<HTMLElement | null>,
  next: (from: HTMLElement) => HTMLElement | null,
): void {
  useLayoutEffect(
    () => () => {
      const from = held.current;
      if (from?.contains(document.activeElement) === true) next(from)?.focus({ preventScroll: true });
    },
    [],
  );
}

/** The button by which a tool is run, a resource read, a prompt had. */
export const runButton = (from: HTMLElement): HTMLElement | null =>
  (from.closest("article") ?? document).querySelector<HTMLElement>(".run-by");
