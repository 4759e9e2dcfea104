import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { api, done, idempotencyKey } from '../../api/client';
import { useTransfer } from '../../api/useTransfer';
import { Card } from '../../ui/Card';
import { FileDrop } from '../../ui/FileDrop';
import { Status } from '../../ui/Status';
import { Transferring } from '../../ui/Transferring';

const TABLES = ['.csv', '.tsv', '.txt', '.jsonl', '.ndjson', '.json', '.parquet'];
const ANNOUNCED_MS = 2000;
const ENDINGS = [...TABLES, '.gz'];

/** A file into the dataset: dropped or chosen, sent in parts, then the run that makes a version of it. */
export function SendFile({ dataset }: { dataset: string }) {
  const client = useQueryClient();
  const [run, setRun] = useState<string>();
  const transfer = useTransfer(
    dataset,
    (file) =>
      done(
        api.POST('/datasets/{dataset}/uploads', {
          params: { path: { dataset }, header: { 'Idempotency-Key': idempotencyKey() } },
          body: { file_name: file.name, size_bytes: file.size },
        }),
      ),
    async ({ upload_id }) => {
      const path = { dataset, upload_id };
      const { run_id } = await done(api.POST('/datasets/{dataset}/uploads/{upload_id}/complete', { params: { path, header: { 'Idempotency-Key': `complete-${upload_id}` } } }));
      setRun(run_id);
      await client.invalidateQueries();
      // The bucket announces a file a moment after it is there.
      setTimeout(() => void client.invalidateQueries({ queryKey: ['datasets', dataset] }), ANNOUNCED_MS);
    },
  );
  const { state, file, parts, error } = transfer;
  const waiting = state === 'idle' || state === 'sent';
  return (
    <Card title="Send a file">
      <div className="stack">
        {state === 'sent' && run && (
          <p className="row" role="status">
            <Status kind="good">Sent</Status> {file?.name} is in.
            <Link to="/runs/$runId" params={{ runId: run }}>
              Watch its run
            </Link>
          </p>
        )}
        {!waiting && file && <Transferring name={file.name} parts={parts} broken={state === 'broken' ? error?.message : undefined} onResume={transfer.resume} onForget={transfer.forget} />}
        {waiting && <FileDrop label={`Send a file to ${dataset}`} endings={ENDINGS} onFile={transfer.send} />}
      </div>
    </Card>
  );
}
