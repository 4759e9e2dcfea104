import type { Schemas } from '../../api/client';

type Entry = Schemas['ActivityEntry'];

/** What happened, as a sentence without its subject. */
const SENTENCES: Record<Entry['action'], string> = {
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
  'alert.opened': 'Opened an alert',
  'alert.noticed': 'Noticed it again',
  'alert.woken': 'Noticed it again after its snooze',
  'alert.acknowledged': 'Took an alert on',
  'alert.snoozed': 'Snoozed an alert',
  'alert.closed': 'Closed an alert',
  'channel.created': 'Made a channel',
  'channel.changed': 'Changed a channel',
  'channel.deleted': 'Deleted a channel',
  'schedule.created': 'Made a schedule',
  'schedule.changed': 'Changed a schedule',
  'schedule.deleted': 'Deleted a schedule',
  'schedule.fired': 'Did what a schedule asked for',
  'retraining.decided': 'Decided about retraining',
};

export function sentenceOf({ action, detail }: Entry): string {
  // What was said in full tells more than the word that programs go by.
  const said = [detail['sentence'], detail['reason']].find((each) => typeof each === 'string' && each !== '') as string | undefined;
  return SENTENCES[action] + (said ? `: ${said.replaceAll('`', '')}` : '');
}

/** Who did it, short: a person by name, a run or a machine by what it is. */
export function whoOf(actor: string): string {
  const [kind = '', name] = actor.split(':');
  if (kind === 'user') return name ?? actor;
  const machine = { run: 'a run', report: 'a drift report', alarm: 'an alarm' }[kind];
  return machine ?? actor.replace(/_/g, ' ');
}

/** Where the thing is looked at; null where it has no place. */
export function placeOf(subject: string): string | null {
  const [kind = '', name = ''] = subject.split(':');
  const area = { dataset: 'datasets', model: 'models', run: 'runs', alert: 'alerts' }[kind];
  return area && name ? `/${area}/${name}` : null;
}
