import { type Contestant, startContestant } from './contestants.ts'
import { printProfile } from './profile.ts'

/** Starts Leadlatch as production runs it; its log is written, to where nobody reads it. */
export function startLeadlatch (name: string, path: string, settings: Record<string, string> = {}): Promise<Contestant> {
  return startContestant(name, 'leadlatch.ts', {
    settings: {
      LEADLATCH_PUBLIC_URL: 'https://login.example',
      DATABASE_URL: `sqlite:${path}`,
      // On, as in production, and beyond what the load reaches.
      LEADLATCH_RATE_LIMIT: '1000000',
      ...settings
    }
  })
}

/** Profiles a contestant, warm, under a load, and prints where its time went. */
export async function printProfileOf (contestant: Contestant, load: () => Promise<unknown>): Promise<void> {
  await load()
  const profile = await contestant.profile(load)
  console.log(`\n${contestant.name} under the profiler`)
  printProfile(profile)
}
