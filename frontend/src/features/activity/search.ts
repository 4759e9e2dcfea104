/** What a link to the activity may carry. */
export interface ActivitySearch {
  actor?: string;
  subject?: string;
  cursor?: string;
}

export function readActivitySearch(search: Record<string, unknown>): ActivitySearch {
  const text = (name: string) => (typeof search[name] === 'string' && search[name] !== '' ? search[name] : undefined);
  return { actor: text('actor'), subject: text('subject'), cursor: text('cursor') };
}
