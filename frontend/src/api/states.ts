/** The platform's states as the dashboard shows them: kind, word. The only place that knows both. */
import type { Schemas } from './client';

type Shown = { kind: 'good' | 'busy' | 'waiting' | 'stopped' | 'bad' | 'watch' | 'ask'; word: string };

const RUNS: Record<Schemas['RunState'], Shown> = {
  RUNNING: { kind: 'busy', word: 'Running' },
  SUCCEEDED: { kind: 'good', word: 'Succeeded' },
  FAILED: { kind: 'bad', word: 'Failed' },
  TIMED_OUT: { kind: 'bad', word: 'Timed out' },
  ABORTED: { kind: 'stopped', word: 'Stopped' },
};

const APPROVALS: Record<Schemas['ApprovalState'], Shown> = {
  PENDING: { kind: 'ask', word: 'Needs approval' },
  APPROVED: { kind: 'good', word: 'Approved' },
  REJECTED: { kind: 'bad', word: 'Rejected' },
};

const DATASET_VERSIONS: Record<Schemas['VersionState'], Shown> = {
  PREPARING: { kind: 'busy', word: 'Preparing' },
  READY: { kind: 'good', word: 'Ready' },
  REJECTED: { kind: 'bad', word: 'Rejected' },
};

const UPLOADS: Record<Schemas['UploadState'], Shown> = {
  RECEIVED: { kind: 'busy', word: 'Received' },
  PREPARING: { kind: 'busy', word: 'Preparing' },
  ACCEPTED: { kind: 'good', word: 'Accepted' },
  IDENTICAL: { kind: 'stopped', word: 'Known already' },
  REJECTED: { kind: 'bad', word: 'Rejected' },
};

const DRIFTS: Record<Schemas['DriftVerdict'], Shown> = {
  OK: { kind: 'good', word: 'Did not drift' },
  DRIFT: { kind: 'watch', word: 'Drifted' },
  SKIPPED: { kind: 'waiting', word: 'Not judged' },
};

const ALERTS: Record<Schemas['AlertState'], Shown> = {
  OPEN: { kind: 'bad', word: 'Open' },
  ACKNOWLEDGED: { kind: 'busy', word: 'Taken on' },
  SNOOZED: { kind: 'waiting', word: 'Snoozed' },
  CLOSED: { kind: 'stopped', word: 'Closed' },
};

const DELIVERIES: Record<Schemas['DeliveryState'], Shown> = {
  PENDING: { kind: 'waiting', word: 'Waiting' },
  SENDING: { kind: 'busy', word: 'On its way' },
  DELIVERED: { kind: 'good', word: 'Delivered' },
  EXHAUSTED: { kind: 'bad', word: 'Given up' },
  CANCELLED: { kind: 'stopped', word: 'Cancelled' },
};

export const runStatus = (state: Schemas['RunState']): Shown => RUNS[state];
export const approvalStatus = (state: Schemas['ApprovalState']): Shown => APPROVALS[state];
export const datasetVersionStatus = (state: Schemas['VersionState']): Shown => DATASET_VERSIONS[state];
export const driftStatus = (verdict: Schemas['DriftVerdict']): Shown => DRIFTS[verdict];
export const uploadStatus = (state: Schemas['UploadState']): Shown => UPLOADS[state];
export const alertStatus = (state: Schemas['AlertState']): Shown => ALERTS[state];
export const deliveryStatus = (state: Schemas['DeliveryState']): Shown => DELIVERIES[state];
