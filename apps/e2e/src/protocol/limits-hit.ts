import { getGateway } from '../support/instance-facts.js';
import type { Serving } from './serving.js';

/** How often the gateway says that a bound was hit (N10). */
export async function timesHit({ holdfast }: Serving, limit: string): Promise<number> {
  return Number((await getGateway(holdfast)).limitsHit[limit] ?? 0n);
}
