import { api, done } from '../../api/client';
import { DownloadButton } from '../../ui/DownloadButton';

/** The results as one CSV file. */
export function Results({ jobId, name }: { jobId: string; name?: string }) {
  const address = async () => {
    const { files } = await done(api.GET('/inference/batch/{job_id}/results', { params: { path: { job_id: jobId } } }));
    const csv = files.find(({ format }) => format === 'csv');
    if (!csv) throw new Error('There is no CSV file of this job.');
    return csv.address;
  };
  return (
    <DownloadButton address={address} name={name}>
      Download CSV
    </DownloadButton>
  );
}
