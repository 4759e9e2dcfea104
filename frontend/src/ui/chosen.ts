/** Rows that are chosen to be compared, as the URL holds them: `a,b`. */
export const MOST_CHOSEN = 5;

export function chosenIn(text: string | undefined): string[] {
  return [...new Set((text ?? '').split(',').filter(Boolean))];
}

/** With `id` chosen, or no longer; null when there is no room for one more. */
export function toggled(chosen: string[], id: string): string[] | null {
  if (chosen.includes(id)) return chosen.filter((each) => each !== id);
  return chosen.length < MOST_CHOSEN ? [...chosen, id] : null;
}
