import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, done, idempotencyKey } from '../../api/client';
import { useTransfer } from '../../api/useTransfer';
import { Card } from '../../ui/Card';
import { FileDrop } from '../../ui/FileDrop';
import { Transferring } from '../../ui/Transferring';

const ENDINGS = ['.csv', '.tsv', '.txt', '.jsonl', '.ndjson', '.parquet', '.gz'];

/** A file with a row for each prediction: sent in parts, and then a job of its own. */
export function StartBatch({ model }: { model: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const transfer = useTransfer(
    model,
    (file) =>
      done(
        api.POST('/inference/batch/uploads', {
          params: { header: { 'Idempotency-Key': idempotencyKey() } },
          body: { model, file_name: file.name, size_bytes: file.size },
        }),
      ),
    async ({ upload_id }) => {
      const started = await done(api.POST('/inference/batch', { params: { header: { 'Idempotency-Key': `batch-${upload_id}` } }, body: { model, input: { upload_id }, record_id_column: 'record_id', reason: '' } }));
      await client.invalidateQueries({ queryKey: ['batches'] });
      await navigate({ to: '/predictions/$jobId', params: { jobId: started.job_id } });
    },
  );
  const { state, file, parts, error } = transfer;
  const busy = state === 'sending' || state === 'broken';
  return (
    <Card title="Predict a file">
      {busy && file ? (
        <Transferring name={file.name} parts={parts} broken={state === 'broken' ? error?.message : undefined} onResume={transfer.resume} onForget={transfer.forget} />
      ) : (
        <FileDrop label={`Send a file to ${model}`} endings={ENDINGS} onFile={transfer.send} />
      )}
    </Card>
  );
}
