import type { Schemas } from '../../api/client';
import { datasetVersionStatus } from '../../api/states';
import { Status } from '../../ui/Status';

export function VersionState({ version }: { version: Pick<Schemas['DatasetVersionSummary'], 'state'> }) {
  const { kind, word } = datasetVersionStatus(version.state);
  return <Status kind={kind}>{word}</Status>;
}
