import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { Time } from '../../ui/Time';
import { VersionLink } from './VersionLink';

/** Where it comes from and what came of it: each a link. */
export function LineageCard({ lineage }: { lineage: Schemas['LineageAnswer'] }) {
  const { made_from: made, taken_over: origin, serves_as: served, compared_with_it: later } = lineage;
  return (
    <Card title="Lineage">
      <ol className="lineage">
        {origin && (
          <li>
            <span className="meta">Taken over from</span> {origin.environment}, where it is {origin.version_id} of {origin.run_id}{' '}
            <span className="quiet">
              approved there by {origin.approval.actor}: {origin.approval.reason}
            </span>
          </li>
        )}
        <li>
          <span className="meta">Data</span>{' '}
          {origin ? (
            `${made.dataset} v${made.dataset_version} of ${origin.environment}`
          ) : (
            <Link to="/datasets/$name/$version" params={{ name: made.dataset, version: String(made.dataset_version) }}>
              {made.dataset} v{made.dataset_version}
            </Link>
          )}{' '}
          <code title={made.dataset_sha256}>{made.dataset_sha256.slice(0, 12)}</code>
        </li>
        <li>
          <span className="meta">Run</span>{' '}
          <Link to="/runs/$runId" params={{ runId: made.run_id }}>
            {made.run_id}
          </Link>{' '}
          <span className="quiet">
            code {made.code_digest.slice(0, 12)}, image {made.image}
          </span>
        </li>
        {made.champion_compared && (
          <li>
            <span className="meta">Judged against</span> <VersionLink id={made.champion_compared} />
          </li>
        )}
        {served.map(({ alias, since, until }) => (
          <li key={`${alias} ${since}`}>
            <span className="meta">Serves as</span> {alias} since <Time at={since} />
            {until && (
              <>
                {' '}
                until <Time at={until} />
              </>
            )}
          </li>
        ))}
        {later.map(({ id: challenger, verdict }) => (
          <li key={challenger}>
            <span className="meta">Had to be beaten by</span> <VersionLink id={challenger} /> <span className="quiet">{verdict}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
