import type { Dispatcher } from 'undici'
import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import { createInstagram } from './instagram.ts'
import type { Provider } from './provider.ts'

/** The configured providers by id, in the order in which people see them. */
export function createProviders (config: Config, dispatcher: Dispatcher, metrics: Metrics, now: () => number): Map<string, Provider> {
  const line = { dispatcher, metrics, now }
  const providers = [
    config.instagram && createInstagram('instagram', config.instagram, line),
    config.instagramBasicDisplay && createInstagram('instagram-basic-display', config.instagramBasicDisplay, line)
  ]
  return new Map(providers.filter((provider) => provider !== null).map((provider) => [provider.id, provider]))
}
