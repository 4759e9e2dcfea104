/** A model's history in words. */
import type { Schemas } from '../../api/client';

type Event = Schemas['ModelEventAnswer'];

const SENTENCES: Record<Event['kind'], (event: Event) => string> = {
  REGISTERED: ({ version }) => `${version} was registered`,
  APPROVED: ({ version }) => `${version} was approved`,
  REJECTED: ({ version }) => `${version} was rejected`,
  ALIAS_MOVED: ({ version, previous_version, alias }) => `${alias} moved to ${version}${previous_version ? `, from ${previous_version}` : ''}`,
  DEPLOYMENT_REQUESTED: ({ version }) => `${version} is to be deployed once more`,
  DEPLOYMENT_FAILED: ({ version }) => `${version} could not be deployed`,
  ROLLOUT_STARTED: ({ version }) => `${version} began to take requests`,
  ROLLOUT_STEPPED: ({ version }) => `${version} took a larger share`,
  ROLLOUT_PASSED: ({ version }) => `${version} passed its rollout`,
  ROLLOUT_ENDED: ({ version }) => `the rollout of ${version} ended`,
};

export function eventSentence(event: Event): string {
  return SENTENCES[event.kind](event);
}
