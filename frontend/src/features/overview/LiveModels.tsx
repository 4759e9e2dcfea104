import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Sparkline } from '../../ui/Sparkline';
import { Status, type StatusKind } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { figure } from '../../ui/format';

type LiveModel = Schemas['LiveModelAnswer'];

const COLUMNS: Column<LiveModel>[] = [
  { key: 'name', name: 'Model', head: true, cell: ({ name }) => <Link to={`/models/${name}` as '/'}>{name}</Link> },
  { key: 'version', name: 'Live', cell: ({ champion }) => `v${champion.number}` },
  { key: 'algorithm', name: 'Algorithm', wideOnly: true, cell: ({ champion }) => champion.algorithm },
  { key: 'quality', name: 'Quality, 12 weeks', wideOnly: true, cell: (model) => <Quality model={model} /> },
  { key: 'metric', name: 'Metric', wideOnly: true, cell: ({ champion }) => <span className="quiet">{metricName(champion.metric)}</span> },
  { key: 'value', name: 'On its test rows', align: 'right', cell: ({ champion }) => figure(champion.value.value) },
  { key: 'drift', name: 'Inputs', cell: ({ drift }) => <Drift report={drift} /> },
];

const DRIFT: Record<Schemas['DriftVerdict'], { kind: StatusKind; word: string }> = {
  OK: { kind: 'good', word: 'As trained' },
  DRIFT: { kind: 'watch', word: 'Drift' },
  SKIPPED: { kind: 'waiting', word: 'Not judged' },
};

/** What the latest report says of the model's inputs. */
function Drift({ report }: { report: LiveModel['drift'] }) {
  if (!report) return <span className="meta">not checked yet</span>;
  const { kind, word } = DRIFT[report.verdict];
  return (
    <span title={report.sentence}>
      <Status kind={kind}>{word}</Status>
    </span>
  );
}

/** What answers predictions, and how good it was when it was tested. */
export function LiveModels({ models }: { models: LiveModel[] }) {
  return (
    <Card title="Live models" flush>
      {models.length === 0 ? (
        <EmptyState title="No model is live yet" icon="cube">
          <p className="quiet">Approve a version, and it answers predictions.</p>
        </EmptyState>
      ) : (
        <Table label="Live models" columns={COLUMNS} rows={models} rowKey={(model) => model.name} />
      )}
    </Card>
  );
}

function Quality({ model: { name, champion, quality } }: { model: LiveModel }) {
  const values = quality.map((each) => each.value.value);
  if (values.length < 2) return <span className="meta">one champion so far</span>;
  return (
    <div className="spark-cell">
      <Sparkline values={values} height={20} label={`${metricName(champion.metric)} of ${name}'s last ${values.length} champions, now ${figure(champion.value.value)}`} />
    </div>
  );
}
