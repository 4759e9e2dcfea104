/** The one way to the API: signed in, with problems as errors, and with what the headers say. */
import createClient from 'openapi-fetch';

import { accessToken, renewNow, SignedOut } from '../auth/session';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/** What a GET answered, with the tag for `If-Match` and the seconds until asking again makes sense. */
export interface Answer<T> {
  body: T;
  etag: string | null;
  pollAfter: number | null;
}

/** The API said no. `problem` is what it said; API Gateway's own refusals are made into one. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }

  /** What is wrong with a field of the request's body: `settings.target`. */
  reasonFor(field: string): string | undefined {
    const named = this.problem.fields?.find((fault) => fault.field === `body.${field}`)?.reason;
    // What the domain refuses is one sentence after the other, each with its field before it: `training.trials: …; key: …`.
    const said = this.problem.detail.split('; ').find((sentence) => sentence.startsWith(`${field}: `));
    return named ?? said?.slice(field.length + 2);
  }

  /** Whether each thing that is wrong is one of these fields, or of what is in one: `training` has `training.trials`. */
  isAbout(...fields: string[]): boolean {
    const named = this.problem.fields?.map(({ field }) => field.replace(/^body\./, ''));
    const wrong = named?.length ? named : this.problem.detail.split('; ').map((sentence) => /^([\w.-]+): /.exec(sentence)?.[1] ?? '');
    return wrong.every((each) => fields.some((field) => each === field || each.startsWith(`${field}.`)));
  }
}

/** Nothing answered. */
export class Unreachable extends Error {
  constructor() {
    super('The platform does not answer.');
  }
}

// An absolute address: a bare path is refused by `Request` outside browsers.
export const api = createClient<paths>({ baseUrl: `${location.origin}/api`, fetch: signedFetch });

async function signedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await send(request, await accessToken());
  return answer.status === 401 ? send(again, await renewNow()) : answer;
}

async function send(request: Request, token: string): Promise<Response> {
  request.headers.set('Authorization', `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Unreachable();
  }
}

interface Call<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer of a call, or its problem, thrown: `await read(api.GET('/runs', { signal }))`. */
export async function read<T>(call: Promise<Call<T>>): Promise<Answer<T>> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ApiError(response.status, problemOf(error, response));
  const pace = response.headers.get('X-Poll-After');
  return { body: data as T, etag: response.headers.get('ETag'), pollAfter: pace === null ? null : Number(pace) };
}

/** The body alone, for what changes something: `await done(api.POST(…))`. */
export async function done<T>(call: Promise<Call<T>>): Promise<T> {
  return (await read(call)).body;
}

/** What `If-Match` says of something that came as a part of an answer, which has a tag of its own: its revision was seen. */
export function seen(revision: number): string {
  return `"${revision}"`;
}

/** One per thing that a person does, so that a second press or a repetition does it once. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

/** Whether signing in is the way out. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof SignedOut || (error instanceof ApiError && error.status === 401);
}

function problemOf(error: unknown, response: Response): Problem {
  if (isProblem(error)) return error;
  const said = (error as { message?: string } | undefined)?.message;
  return {
    type: 'Refused',
    title: response.statusText || 'Refused',
    status: response.status,
    detail: said ?? `The platform answered HTTP ${response.status}.`,
    request_id: response.headers.get('X-Request-Id') ?? response.headers.get('apigw-requestid') ?? '',
    fields: [],
  };
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'detail' in error && 'request_id' in error;
}
