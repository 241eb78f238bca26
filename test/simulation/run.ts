import { openWorld, simulate } from './world.ts'

// Lives through the histories of some seeds, in a process of its own: a test runner that follows every
// promise makes them several times slower. Prints a line for each seed that broke something.
const [from = 1, count = 1] = process.argv.slice(2).map(Number)
const database = await openWorld()
for (let seed = from; seed < from + count; seed++) {
  const broken = await simulate(database, seed)
  if (broken.length > 0) console.log(`seed ${seed}: ${broken.slice(0, 3).join('; ')}`)
}
await database.close()
