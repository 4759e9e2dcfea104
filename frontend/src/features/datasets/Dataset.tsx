import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { arrivedFiles, dataset as datasetQuery, datasetVersions } from '../../api/queries';
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

/** While a file is on its way to becoming a version. */
const BUSY_MS = 3000;

type Detail = Schemas['DatasetDetail'];
type File = Schemas['ArrivedFile'];
type Version = Schemas['DatasetVersionSummary'];

export default function Dataset() {
  const { name } = useParams({ from: '/signed-in/datasets/$name' });
  const query = useQuery(datasetQuery(name));
  const known = query.data?.body;
  return (
    <Page title={name} subtitle={known && <span>{standing(known)}</span>} actions={known && <Train dataset={known} />}>
      <Loaded query={query}>
        {({ body, etag }) => (
          <>
            <div className="wide-and-narrow">
              <Versions name={name} />
              <div className="stack start">
                {may('scientist') && <SendFile dataset={name} />}
                <SettingsCard dataset={body} etag={etag} />
              </div>
            </div>
            {body.contract_version > 0 && <ContractCard name={name} />}
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

function Versions({ name }: { name: string }) {
  const search = useSearch({ from: '/signed-in/datasets/$name' });
  const navigate = useNavigate();
  const files = useQuery(arrivedFiles(name)).data?.body.items;
  const busy = files?.some(({ state }) => state === 'RECEIVED' || state === 'PREPARING');
  const usual = datasetVersions(name, { ...search, limit: 50 });
  const query = useQuery(busy ? { ...usual, refetchInterval: BUSY_MS } : usual);
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
    { key: 'size', name: 'Size', align: 'right', wideOnly: true, cell: ({ upload_id: id }) => bytes(files?.find(({ upload_id }) => upload_id === id)?.size_bytes) },
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
    <div className="stack start">
      <Card title="Versions" flush>
        <Loaded query={query}>
          {({ body }) =>
            body.items.length ? (
              <>
                <Table label="Versions" columns={columns} rows={body.items} rowKey={({ version }) => String(version)} />
                <Pager next={body.next_cursor} cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/datasets/$name', params: { name }, search: { cursor } })}>
                  {body.total != null && `${whole(body.items.length)} of ${count(body.total, 'version')}`}
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
      {files && files.length > 0 && <Files files={files} />}
    </div>
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
