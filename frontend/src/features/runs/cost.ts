import type { Schemas } from '../../api/client';
import { count, money } from '../../ui/format';

type Costs = Schemas['RunCosts'];

/** What a run's cost is made of; null for a run of one kind alone, whose whole cost says it. */
export function partsOf(costs: Costs): string | null {
  const parts = [
    costs.jobs && `${count(costs.jobs, 'job')} ${costs.jobs_usd === null ? 'not known yet' : money(costs.jobs_usd)}`,
    costs.invocations && `${count(costs.invocations, 'function call')} ${money(costs.functions_usd)}`,
    costs.transitions && `${count(costs.transitions, 'transition')} ${money(costs.transitions_usd)}`,
  ].filter(Boolean);
  return parts.length > 1 ? parts.join(', ') : null;
}
