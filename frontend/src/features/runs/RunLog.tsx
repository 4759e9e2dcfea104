import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { LogView } from '../../ui/LogView';
import { runLog } from './log';
import type { RunSearch } from './search';

interface Props {
  run: Schemas['RunDetail'];
  /** Only what this job wrote. */
  job?: string;
  stepName?: string;
  search: RunSearch;
  onShow: (change: RunSearch) => void;
}

/** What the run's jobs write: the last thousand lines at once, then only what is new. */
export function RunLog({ run, job, stepName, search, onShow }: Props) {
  const query = useQuery(runLog(run.run_id));
  const lines = query.data?.lines;
  const shown = useMemo(() => (lines ?? []).filter((line) => !job || line.source === job), [lines, job]);
  const live = run.state === 'RUNNING';
  if (stepName && !job)
    return (
      <Card title="Log">
        <p className="quiet">{stepName} is a function, not a job: what it did is in the outcome and in the run's reason.</p>
      </Card>
    );
  return <LogView lines={shown} level={search.level} find={search.find} line={search.line} live={live} note={stepName && `of ${stepName}`} onFilter={({ level, find }) => onShow({ level, find })} />;
}
