import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The metrics of one service. Labels come from our own lists only, never from a request. */
export type Metrics = ReturnType<typeof createMetrics>

/** A registry of its own, so that two services can live in one process. */
export function createMetrics () {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return Object.freeze({
    registry,
    logins: new Counter({
      name: 'leadlatch_logins_total',
      help: 'Logins by provider and what became of them: started, denied, succeeded, failed.',
      labelNames: ['provider', 'outcome'] as const,
      registers: [registry]
    }),
    providerCalls: new Histogram({
      name: 'leadlatch_provider_call_seconds',
      help: 'Calls to providers by provider, call and outcome.',
      labelNames: ['provider', 'call', 'outcome'] as const,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry]
    }),
    renewals: new Counter({
      name: 'leadlatch_renewals_total',
      help: 'Tokens worked on, by provider, work (exchange, refresh, prove) and what became of them.',
      labelNames: ['provider', 'work', 'outcome'] as const,
      registers: [registry]
    }),
    tokens: new Gauge({
      name: 'leadlatch_tokens',
      help: 'Tokens by status, counted when asked.',
      labelNames: ['status'] as const,
      registers: [registry]
    }),
    tokensExpiring: new Gauge({
      name: 'leadlatch_tokens_expiring',
      help: 'Tokens still good that expire within so many days unless they are refreshed, counted when asked.',
      labelNames: ['within_days'] as const,
      registers: [registry]
    }),
    requests: new Histogram({
      name: 'leadlatch_http_request_seconds',
      help: 'Requests answered, by method, route pattern and status.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
      registers: [registry]
    })
  })
}
