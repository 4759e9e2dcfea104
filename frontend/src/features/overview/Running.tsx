import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { runStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Meter } from '../../ui/Meter';
import { Status } from '../../ui/Status';
import { Time } from '../../ui/Time';
import { duration } from '../../ui/format';
import { useNow } from '../../ui/useNow';
import { progressOf } from './needShown';

/** What runs, against how long such runs take. */
export function Running({ runs }: { runs: Schemas['RunningRun'][] }) {
  const now = useNow(1000);
  return (
    <Card title="Running now" flush>
      {runs.length === 0 && <EmptyState title="Nothing runs" icon="clock" />}
      <ul className="running">
        {runs.map((run) => {
          const { share, seconds } = progressOf(run, now);
          const words = run.usual_seconds ? `${duration(Math.floor(seconds))} of ~${duration(Math.round(run.usual_seconds))}` : duration(Math.floor(seconds));
          return (
            <li key={run.run_id}>
              <div className="row">
                <span className="row">
                  <Status kind="busy">Running</Status>
                  <RunLink run={run} />
                </span>
                <span className="meta">{words}</span>
              </div>
              <Meter share={share} label={`${run.pipeline} of ${run.dataset}: ${words}`} />
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

/** The runs that ended last. */
export function RecentRuns({ runs }: { runs: Schemas['RunSummary'][] }) {
  return (
    <Card title="Recent runs" flush>
      {runs.length === 0 && <EmptyState title="No run has ended yet" icon="play" />}
      <ul className="recent">
        {runs.map((run) => {
          const { kind, word } = runStatus(run.state);
          return (
            <li key={run.run_id}>
              <Link to={`/runs/${run.run_id}` as '/'}>
                <Status kind={kind}>{word}</Status>
                <span>
                  <span className="strong">{run.dataset}</span> <span className="quiet">{run.pipeline}</span>
                </span>
                <span className="meta">
                  <Time at={run.ended_at ?? run.started_at} />
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function RunLink({ run }: { run: Schemas['RunSummary'] }) {
  return (
    <span>
      <Link to={`/runs/${run.run_id}` as '/'}>{run.dataset}</Link> <span className="quiet">{run.pipeline}</span>
    </span>
  );
}
