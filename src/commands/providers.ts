import { Agent } from 'undici'
import type { Config } from '../config.ts'
import { createMetrics } from '../metrics.ts'
import type { Parts } from '../parts.ts'
import { createProviders } from '../providers/index.ts'
import type { Edge } from './edge.ts'

/** Runs some work with the configured providers, and lets go of their connections. */
export async function withProviders<Result> (edge: Edge, config: Config, work: (providers: Parts['providers']) => Promise<Result>): Promise<Result> {
  const dispatcher = new Agent()
  try {
    return await work(createProviders(config, dispatcher, createMetrics(), edge.now))
  } finally {
    await dispatcher.destroy()
  }
}
