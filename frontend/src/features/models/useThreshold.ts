import { useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { matricesOf } from './matrices';

/** The threshold that the figures are shown at, in the URL; the model's own to begin with. Undefined without thresholds. */
export function useThreshold(evaluation: Schemas['EvaluationAnswer']): [number | undefined, (value: number) => void] {
  const params = useParams({ from: '/signed-in/models/$model/$number' });
  const search = useSearch({ from: '/signed-in/models/$model/$number' });
  const navigate = useNavigate();
  const own = matricesOf(evaluation)[0]?.threshold ?? undefined;
  const set = (threshold: number) => void navigate({ to: '/models/$model/$number', params, search: { threshold }, replace: true, resetScroll: false });
  return [own === undefined ? undefined : (search.threshold ?? own), set];
}
