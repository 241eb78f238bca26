import { startEmulator } from '../emulator/emulator.ts'
import { connectToLeadlatch, type Leadlatch } from './leadlatch-client.ts'
import { createLocalAgent, createLocalFetch, findFreePort, isFree } from './local-network.ts'
import { SHOP_NAME } from './shop-layout.ts'
import { buildShop } from './shop.ts'
import { CALLBACK_PATH } from './sign-in.ts'
import { startLeadlatch } from './start-leadlatch.ts'

const PORT = 8787

export type DemoOptions = {
  /** The port of Leadlatch: 8787 when it is free, else any, unless given; 0 stands for any. */
  port?: number
  log: (line: string) => void
}

/** A running demo: an offline Instagram, Leadlatch and a shop, on three host names of this machine. */
export type Demo = {
  shopURL: string
  /** The shop's own connection. */
  leadlatch: Leadlatch
  close: () => Promise<void>
}

/**
 * Starts the demo. The three have host names of their own, since cookies ignore the port: what one
 * sets must not reach another, as it would not on real hosts.
 * @throws {Error} when the port asked for is taken
 */
export async function startDemo ({ port, log }: DemoOptions): Promise<Demo> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return { ...await startAll(port, log, closers), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startAll (port: number | undefined, log: (line: string) => void, closers: (() => Promise<void>)[]): Promise<Omit<Demo, 'close'>> {
  const publicURL = `http://localhost:${await choosePort(port)}`
  const [shopPort, emulatorPort] = port === 0 ? [0, 0] : [PORT + 1, PORT + 2]
  const emulator = await startEmulator({
    publicHost: 'instagram.localhost',
    port: await findFreePort(emulatorPort),
    redirectURIs: [`${publicURL}/oauth/callback/instagram`]
  })
  closers.push(() => emulator.close())

  const agent = createLocalAgent()
  const service = await startLeadlatch({ publicURL, settings: onlyInstagram(emulator.settings), agent, log: (line) => log(`Leadlatch: ${line}`) })
  closers.push(() => service.close(), () => agent.close())

  const shopURL = `http://shop.localhost:${await findFreePort(shopPort)}`
  const redirectURI = shopURL + CALLBACK_PATH
  const connection = await service.addShop({ url: shopURL, name: SHOP_NAME, redirectURI })
  const leadlatch = await connectToLeadlatch({ connection, redirectURI, fetch: createLocalFetch(agent) })
  const shop = await buildShop({ url: shopURL, leadlatch, log: (line) => log(`Demo shop: ${line}`) })
  closers.push(() => shop.close())
  await shop.listen({ host: '127.0.0.1', port: Number(new URL(shopURL).port) })

  log(`Demo shop            ${shopURL}/`)
  log(`Leadlatch            ${publicURL}/`)
  log(`Instagram emulator   ${emulator.url}/`)
  return { shopURL, leadlatch }
}

async function choosePort (port: number | undefined): Promise<number> {
  if (port === undefined || port === 0) return findFreePort(port ?? PORT)
  if (!await isFree(port)) throw new Error(`The port ${port} is taken. Choose another, or leave it out to get a free one.`)
  return port
}

// The emulator speaks the retired protocol as well, which a new shop has no use for.
function onlyInstagram (settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
}
