import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { pageOf } from '../../api/pages';
import { dataset as datasetQuery, datasetVersions } from '../../api/queries';
import { uploadStatus } from '../../api/states';
import { may } from '../../auth/session';
import { ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Pager } from '../../ui/Pager';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { bytes, count, percent, whole } from '../../ui/format';
import { ContractCard } from './ContractCard';
import { SendFile } from './SendFile';
import { SettingsCard } from './SettingsCard';
import { VersionState } from './VersionState';
import './datasets.css';

type Detail = Schemas['DatasetDetail'];
type File = Schemas['ArrivedFile'];
type Version = Schemas['DatasetVersionSummary'];

export default function Dataset() {
  const { name } = useParams({ from: '/signed-in/datasets/$name' });
  const query = useQuery(datasetQuery(name));
  const known = query.data?.body.dataset;
  return (
    <Page title={name} subtitle={known && <span>{standing(known)}</span>} actions={known && <Train dataset={known} />}>
      <Loaded query={query}>
        {({ body: { dataset, versions, uploads, contract } }) => (
          <>
            <div className="wide-and-narrow">
              <div className="stack start">
                <Versions name={name} first={versions} files={uploads.items} />
                {uploads.items.length > 0 && <Files files={uploads.items} />}
              </div>
              <div className="stack start">
                {may('scientist') && <SendFile dataset={name} />}
                <SettingsCard dataset={dataset} />
              </div>
            </div>
            {contract && <ContractCard contract={contract} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function standing({ target, latest_version: latest, latest_ready_version: ready }: Detail): string {
  const goal = target ? `Predicts ${target}` : 'No target yet: it is not trained on';
  if (!latest) return `${goal}, no file yet`;
  return `${goal}, ${ready ? `v${ready} is the newest that is ready` : 'no version is ready'}`;
}

function Train({ dataset }: { dataset: Detail }) {
  if (!dataset.latest_ready_version || !dataset.target || !may('scientist')) return null;
  return (
    <ButtonLink to="/runs/new" search={{ dataset: dataset.name }}>
      Train on it…
    </ButtonLink>
  );
}

function Versions({ name, first, files }: { name: string; first: Schemas['DatasetScreen']['versions']; files: File[] }) {
  const { cursor } = useSearch({ from: '/signed-in/datasets/$name' });
  const navigate = useNavigate();
  const page = pageOf(first, useQuery(datasetVersions(name, cursor)), cursor);
  const columns: Column<Version>[] = [
    {
      key: 'version',
      name: 'Version',
      head: true,
      cell: ({ version }) => (
        <Link to="/datasets/$name/$version" params={{ name, version: String(version) }}>
          v{version}
        </Link>
      ),
    },
    { key: 'state', name: 'State', cell: (version) => <VersionState version={version} /> },
    { key: 'rows', name: 'Rows', align: 'right', cell: ({ accepted }) => whole(accepted) },
    { key: 'quarantined', name: 'Set aside', align: 'right', cell: ({ quarantined, quarantined_share }) => (quarantined ? `${whole(quarantined)} (${percent(quarantined_share)})` : whole(quarantined)) },
    { key: 'size', name: 'Size', align: 'right', wideOnly: true, cell: ({ upload_id: id }) => bytes(files.find(({ upload_id }) => upload_id === id)?.size_bytes) },
    { key: 'made', name: 'Arrived', cell: ({ created_at }) => <Time at={created_at} /> },
    {
      key: 'run',
      name: 'Run',
      wideOnly: true,
      cell: ({ run_id }) => (
        <Link to="/runs/$runId" params={{ runId: run_id }}>
          Run
        </Link>
      ),
    },
  ];
  return (
    <Card title="Versions" flush>
      <Loaded query={page}>
        {({ items, next_cursor: next, total }) =>
          items.length ? (
            <>
              <Table label="Versions" columns={columns} rows={items} rowKey={({ version }) => String(version)} />
              <Pager next={next} cursor={cursor} onGo={(to) => void navigate({ to: '/datasets/$name', params: { name }, search: { cursor: to } })}>
                {total != null && `${whole(items.length)} of ${count(total, 'version')}`}
              </Pager>
            </>
          ) : (
            <EmptyState title="No version yet" icon="database">
              <p className="quiet">Send a file: each becomes a version, checked and profiled.</p>
            </EmptyState>
          )
        }
      </Loaded>
    </Card>
  );
}

const FILE_COLUMNS: Column<File>[] = [
  { key: 'key', name: 'File', head: true, cell: ({ key }) => <span className="break">{key.split('/').slice(2).join('/')}</span> },
  { key: 'state', name: 'State', cell: ({ state }) => <Status kind={uploadStatus(state).kind}>{uploadStatus(state).word}</Status> },
  { key: 'became', name: 'Became', cell: (file) => <Became file={file} /> },
  { key: 'size', name: 'Size', align: 'right', wideOnly: true, cell: ({ size_bytes }) => bytes(size_bytes) },
  { key: 'at', name: 'Arrived', cell: ({ received_at }) => <Time at={received_at} /> },
];

function Files({ files }: { files: File[] }) {
  return (
    <Card title="Files that arrived" flush>
      <Table label="Files that arrived" columns={FILE_COLUMNS} rows={files} rowKey={({ upload_id }) => upload_id} />
    </Card>
  );
}

function Became({ file }: { file: File }) {
  if (file.state === 'REJECTED') return <span className="break">{file.reasons.join('; ')}</span>;
  const run = (
    <Link to="/runs/$runId" params={{ runId: file.run_id }}>
      its run
    </Link>
  );
  return <span>{file.version ? <>v{file.version}, by {run}</> : run}</span>;
}
