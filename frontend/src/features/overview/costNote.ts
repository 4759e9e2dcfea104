import type { Schemas } from '../../api/client';
import { money } from '../../ui/format';

/** What is said below this month's cost. */
export function costNote({ endpoints_at_least, endpoints_usd, forecast_usd }: Pick<Schemas['Cost'], 'endpoints_at_least' | 'endpoints_usd' | 'forecast_usd'>): string {
  const forecast = `forecast ${money(forecast_usd)}; runs and endpoints at list prices`;
  return endpoints_usd || endpoints_at_least ? `${money(endpoints_usd)} of it for endpoints${endpoints_at_least ? ', at least' : ''}; ${forecast}` : forecast;
}
