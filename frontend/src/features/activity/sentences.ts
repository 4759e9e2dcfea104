import type { Schemas } from '../../api/client';

type Entry = Schemas['ActivityEntry'];

/** What happened, as a sentence without its subject. What is not known here is shown as it is called. */
const SENTENCES: Partial<Record<Entry['action'], string>> = {
  'dataset.created': 'Made the dataset',
  'dataset.configured': 'Changed settings',
  'contract.changed': 'Changed the contract',
  'upload.received': 'Received a file',
  'upload.identical': 'Recognised the file as known',
  'upload.rejected': 'Refused a file',
  'dataset_version.reserved': 'Began a dataset version',
  'dataset_version.accepted': 'Accepted a dataset version',
  'transfer.open': 'Began to send a file',
  'transfer.completed': 'Sent a file',
  'transfer.aborted': 'Gave up sending a file',
  'run.started': 'Started a run',
  'run.annotated': 'Noted something on a run',
  'run.stop_requested': 'Asked a run to stop',
  'run.ended': 'Ended a run',
  'model.created': 'Made the model',
  'model_version.claimed': 'Claimed a version number',
  'model_version.registered': 'Registered a model version',
  'model_version.approved': 'Approved a model version',
  'model_version.rejected': 'Rejected a model version',
  'ground_truth.recorded': 'Read a file of ground truth',
  'ground_truth.told': 'Told what was really so',
  'model_version.deployment_requested': 'Asked for a model version to be deployed once more',
  'model_version.deployment_failed': 'Could not deploy a model version',
  'alias.moved': 'Moved an alias',
  'api_key.created': 'Made an API key',
  'api_key.revoked': 'Revoked an API key',
  'rollout.started': 'Began to roll a version out',
  'rollout.stepped': 'Gave a version more of the requests',
  'rollout.passed': 'Ended a rollout well',
  'rollout.ended': 'Ended a rollout',
  'drift.reported': 'Reported on drift',
};

export function sentenceOf({ action, detail }: Entry): string {
  const sentence = SENTENCES[action] ?? action;
  const reason = typeof detail['reason'] === 'string' && detail['reason'] ? `: ${detail['reason']}` : '';
  return sentence + reason;
}

/** Who did it, short: a person by name, a run or a machine by what it is. */
export function whoOf(actor: string): string {
  const [kind = '', name] = actor.split(':');
  if (kind === 'user') return name ?? actor;
  return kind === 'run' ? 'a run' : actor.replace(/_/g, ' ');
}

/** Where the thing is looked at; null where it has no place. */
export function placeOf(subject: string): string | null {
  const [kind = '', name = ''] = subject.split(':');
  const area = { dataset: 'datasets', model: 'models', run: 'runs' }[kind];
  return area && name ? `/${area}/${name}` : null;
}
