import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { datasetVersion } from '../../api/queries';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Time } from '../../ui/Time';
import { count, percent, whole } from '../../ui/format';
import { Checks } from './Checks';
import { DiffCard } from './DiffCard';
import { ProfileCard } from './ProfileCard';
import { QuarantineCard } from './QuarantineCard';
import { VersionState } from './VersionState';
import './datasets.css';

type Detail = Schemas['DatasetVersionDetail'];

export default function Version() {
  const { name, version } = useParams({ from: '/signed-in/datasets/$name/$version' });
  const query = useQuery(datasetVersion(name, Number(version)));
  const known = query.data?.body.version;
  return (
    <Page title={known ? titleOf(known) : `${name} v${version}`} tab={`${name} v${version}`} subtitle={known && <VersionState version={known} />}>
      <Loaded query={query}>
        {({ body: { version: shown, profile, quarantine, others } }) => (
          <>
            <Checks version={shown} />
            {quarantine && <QuarantineCard name={name} number={shown.version} first={quarantine} />}
            <Card title="About it" flush>
              <About version={shown} />
            </Card>
            {profile && <ProfileCard columns={profile.columns} />}
            {shown.state === 'READY' && <DiffCard name={name} number={shown.version} others={others} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ version }: { version: Detail }) {
  const { dialect, quality, used_by: models } = version;
  return (
    <Facts
      facts={[
        ['Rows', whole(version.accepted)],
        ['Set aside', version.quarantined == null ? null : `${whole(version.quarantined)} (${percent(version.quarantined_share)})`],
        ['Missing values', version.null_share == null ? null : percent(version.null_share)],
        ['Split', quality?.split_rows && Object.entries(quality.split_rows).map(([split, rows]) => `${split} ${whole(rows)}`).join(', ')],
        ['Read as', dialect && dialectOf(dialect)],
        ['Contract', version.contract_version && `v${version.contract_version}`],
        ['Arrived', <Time key="arrived" at={version.created_at} />],
        [
          'Run',
          <Link key="run" to="/runs/$runId" params={{ runId: version.run_id }}>
            {version.run_id}
          </Link>,
        ],
        ['Trained on it', models.length ? <Models key="models" ids={models} /> : 'nothing yet'],
        ['SHA-256', <code key="sha" title={version.sha256}>{version.sha256.slice(0, 12)}</code>],
      ]}
    />
  );
}

function Models({ ids }: { ids: string[] }) {
  return (
    <span className="row">
      {ids.map((id) => {
        const [model = '', number = ''] = id.split(':');
        return (
          <Link key={id} to="/models/$model/$number" params={{ model, number }}>
            {id}
          </Link>
        );
      })}
    </span>
  );
}

function dialectOf({ format, compression, encoding, delimiter }: NonNullable<Detail['dialect']>): string {
  const cells = format === 'csv' && delimiter ? `, ${{ ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' }[delimiter] ?? delimiter} between cells` : '';
  const packed = compression && compression !== 'none' ? `, ${compression}` : '';
  return `${format}${cells}${format === 'parquet' ? '' : `, ${encoding}`}${packed}`;
}

function titleOf({ dataset, version, state, accepted, quarantined }: Detail): string {
  const name = `${dataset} v${version}`;
  if (state === 'REJECTED') return `${name} was refused`;
  if (state === 'PREPARING') return `${name} is being prepared`;
  return `${name}: ${count(accepted ?? 0, 'row')} ready, ${quarantined ? `${whole(quarantined)} set aside` : 'none set aside'}`;
}
