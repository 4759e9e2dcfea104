/** Who is signed in. Tokens live in this tab's sessionStorage: never in a URL, a log or localStorage. */
const KEY = 'millrace.session';
/** Renew a little before the end, so that no request leaves with a token that ends on the way. */
const EARLY_MS = 30_000;

export interface Tokens {
  accessToken: string;
  refreshToken: string | null;
  idToken: string | null;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export type Role = 'viewer' | 'scientist' | 'approver' | 'admin';

export interface User {
  name: string;
  email: string | null;
  roles: Role[];
}

/** There is no session, or it cannot be renewed: the way out is to sign in. */
export class SignedOut extends Error {
  constructor() {
    super('You are signed out.');
  }
}

let renewal: Promise<Tokens> | undefined;

export function tokens(): Tokens | null {
  const kept = sessionStorage.getItem(KEY);
  return kept ? (JSON.parse(kept) as Tokens) : null;
}

export function keep(found: Tokens): void {
  sessionStorage.setItem(KEY, JSON.stringify(found));
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** A token that is good for a request. Requests that find it expired at the same time wait for one renewal. */
export async function accessToken(): Promise<string> {
  const found = tokens();
  if (!found) throw new SignedOut();
  if (found.expiresAt - EARLY_MS > Date.now()) return found.accessToken;
  return (await renewed(found)).accessToken;
}

/** Renew although the token looks good: the API has refused it. */
export async function renewNow(): Promise<string> {
  const found = tokens();
  if (!found) throw new SignedOut();
  return (await renewed(found)).accessToken;
}

function renewed(found: Tokens): Promise<Tokens> {
  renewal ??= renew(found).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

async function renew(found: Tokens): Promise<Tokens> {
  const { refresh } = await import('./flow');
  const fresh = await refresh(found);
  keep(fresh);
  return fresh;
}

export function user(): User | null {
  const found = tokens();
  if (!found) return null;
  const access = claims(found.accessToken);
  const id = found.idToken ? claims(found.idToken) : {};
  const groups = access['cognito:groups'];
  return {
    name: String(access['username'] ?? access['sub'] ?? ''),
    email: typeof id['email'] === 'string' ? id['email'] : null,
    roles: Array.isArray(groups) ? (groups as Role[]) : [],
  };
}

/** For what to offer only: the API decides. `admin` may do everything. */
export function may(role: Role): boolean {
  const roles = user()?.roles ?? [];
  return roles.includes(role) || roles.includes('admin');
}

function claims(token: string): Record<string, unknown> {
  const body = token.split('.')[1];
  if (!body) return {};
  const bytes = Uint8Array.from(atob(body.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}
