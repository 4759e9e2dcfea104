/** Signing in and out: authorization code with PKCE (RFC 7636) at the user pool. Loaded only when it is needed. */
import * as oauth from 'oauth4webapi';

import { config, type Config } from './config';
import { forget, keep, SignedOut, type Tokens } from './session';

const STARTED = 'millrace.sign-in';
const SCOPE = 'openid email profile';
export const CALLBACK = '/auth/callback';

interface Started {
  state: string;
  verifier: string;
  returnTo: string;
}

/** Go to the pool's sign-in page; `returnTo` is where the person wanted to be, and comes back. */
export async function signIn(returnTo: string): Promise<void> {
  const known = await config();
  const started: Started = { state: oauth.generateRandomState(), verifier: oauth.generateRandomCodeVerifier(), returnTo };
  sessionStorage.setItem(STARTED, JSON.stringify(started));
  const address = new URL(known.authorizationEndpoint);
  const asked = {
    response_type: 'code',
    client_id: known.clientId,
    redirect_uri: redirectUri(),
    scope: SCOPE,
    state: started.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(started.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Come back from the sign-in page: check `state`, change the code for tokens. Returns where to go on. */
export async function completeSignIn(address: URL): Promise<string> {
  const started = JSON.parse(sessionStorage.getItem(STARTED) ?? 'null') as Started | null;
  sessionStorage.removeItem(STARTED);
  if (!started) throw new Error('This sign-in was not started in this tab.');
  const known = await config();
  const client = { client_id: known.clientId };
  const answer = oauth.validateAuthResponse(server(known), client, address, started.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server(known), client, oauth.None(), answer, redirectUri(), started.verifier, insecure(known),
  );
  const result = await oauth.processAuthorizationCodeResponse(server(known), client, response);
  keep(kept(result, null));
  return started.returnTo;
}

/** New tokens for a refresh token. Whatever the pool refuses ends the session: raises SignedOut. */
export async function refresh(found: Tokens): Promise<Tokens> {
  if (!found.refreshToken) return ended();
  const known = await config();
  const client = { client_id: known.clientId };
  try {
    const response = await oauth.refreshTokenGrantRequest(server(known), client, oauth.None(), found.refreshToken, insecure(known));
    return kept(await oauth.processRefreshTokenResponse(server(known), client, response), found);
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError) return ended();
    throw error;
  }
}

/** Forget the tokens, then end the pool's own session. */
export async function signOut(): Promise<void> {
  const known = await config();
  forget();
  const address = new URL(known.logoutEndpoint);
  address.searchParams.set('client_id', known.clientId);
  address.searchParams.set('logout_uri', `${location.origin}/`);
  location.assign(address);
}


function ended(): never {
  forget();
  throw new SignedOut();
}

function kept(answer: oauth.TokenEndpointResponse, before: Tokens | null): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? before?.refreshToken ?? null,
    idToken: answer.id_token ?? before?.idToken ?? null,
    expiresAt: Date.now() + (answer.expires_in ?? 3600) * 1000,
  };
}

function server(known: Config): oauth.AuthorizationServer {
  return { issuer: known.issuer, authorization_endpoint: known.authorizationEndpoint, token_endpoint: known.tokenEndpoint };
}

function redirectUri(): string {
  return location.origin + CALLBACK;
}

/** Plain HTTP is for the local platform alone, whose endpoint is this machine. */
function insecure(known: Config): { [oauth.allowInsecureRequests]?: boolean } {
  const host = new URL(known.tokenEndpoint).hostname;
  return { [oauth.allowInsecureRequests]: host === '127.0.0.1' || host === 'localhost' };
}
