import { Link } from '@tanstack/react-router';

import { api, done, type Schemas } from '../../api/client';
import { driftStatus } from '../../api/states';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { EmptyState } from '../../ui/EmptyState';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { toast } from '../../ui/toast';
import { plain } from './cells';

type Report = Schemas['DriftReportSummary'];

export const KIND_NAMES: Record<Schemas['DriftKind'], string> = { data: 'Inputs', prediction: 'Answers', performance: 'Quality' };

const COLUMNS: Column<Report>[] = [
  { key: 'verdict', name: 'Verdict', cell: ({ verdict }) => <Verdict verdict={verdict} /> },
  { key: 'kind', name: 'About', wideOnly: true, cell: ({ kind }) => KIND_NAMES[kind] },
  { key: 'sentence', name: 'What was found', head: true, cell: ({ sentence }) => <span className="sentence"><Dated>{plain(sentence)}</Dated></span> },
  { key: 'window', name: 'Compared', wideOnly: true, cell: ({ window, baseline }) => <span className="sentence"><Dated>{`${window}${baseline ? ` with ${baseline}` : ''}`}</Dated></span> },
  { key: 'made', name: 'Made', cell: ({ created_at }) => <Time at={created_at} /> },
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
  {
    key: 'page',
    name: 'Report',
    hideName: true,
    align: 'right',
    cell: ({ id }) => (
      <Button look="quiet" onClick={() => void openReport(id)} aria-label={`Report ${id} as HTML`}>
        HTML
      </Button>
    ),
  },
];

/** Every check of a model, latest first. */
export function Reports({ reports }: { reports: Report[] }) {
  return (
    <Card title="Reports" flush>
      {reports.length ? (
        <Table label="Drift reports" columns={COLUMNS} rows={reports} rowKey={({ id }) => id} />
      ) : (
        <EmptyState title="No report yet" icon="pulse">
          <p className="quiet">A check every day writes one; so does “Check now”.</p>
        </EmptyState>
      )}
    </Card>
  );
}

function Verdict({ verdict }: { verdict: Report['verdict'] }) {
  const { kind, word } = driftStatus(verdict);
  return <Status kind={kind}>{word}</Status>;
}

async function openReport(id: string): Promise<void> {
  try {
    const { address } = await done(api.GET('/monitoring/drift/{report_id}/html', { params: { path: { report_id: id } } }));
    location.assign(address);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
}
