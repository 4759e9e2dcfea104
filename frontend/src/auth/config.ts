/** What the deployment says to the build: one build serves every environment. */
export interface Config {
  environment: string;
  issuer: string;
  clientId: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  logoutEndpoint: string;
  apiBase: string;
}

let asked: Promise<Config> | undefined;

/** `/config.json`, read once. A failure is forgotten, so that trying again tries. */
export function config(): Promise<Config> {
  asked ??= read().catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

async function read(): Promise<Config> {
  const answer = await fetch('/config.json', { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`The dashboard's settings (/config.json) could not be read: HTTP ${answer.status}`);
  return (await answer.json()) as Config;
}
