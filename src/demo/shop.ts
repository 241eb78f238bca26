import cookie from '@fastify/cookie'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { isObject } from '../json.ts'
import { cartPage, type CheckoutForm, checkoutPage, missingPage, NOTICES, orderPage, productPage } from './shop-pages.ts'
import { SHOP_CSP } from './shop-layout.ts'
import type { Leadlatch } from './leadlatch-client.ts'
import { ownerPage } from './owner-page.ts'
import { registerSignIn } from './sign-in.ts'
import { createVisits, type Visit, type Visits } from './visits.ts'

const VISIT_COOKIE = 'shop_visit'
const FIRST_ORDER = 1001

/** What the shop is made of. */
export type ShopOptions = {
  /** Its own origin, as browsers reach it. */
  url: string
  leadlatch: Leadlatch
  /** Takes what went wrong, in one line without secrets. */
  log: (line: string) => void
}

/**
 * Builds a small shop that signs people in as any OpenID Connect client would: a product, a cart, a
 * checkout that works without signing in as well, and what its owner sees of the leads.
 */
export async function buildShop ({ url, leadlatch, log }: ShopOptions): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 16 * 1024, exposeHeadRoutes: false })
  const visits = createVisits()
  await app.register(cookie)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body.toString()))
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': SHOP_CSP,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff'
    })
  })
  app.setNotFoundHandler((_request, reply) => sendPage(reply.code(404), missingPage()))
  registerCart(app, visits)
  registerCheckout(app, { visits, leadlatch, log })
  registerSignIn(app, {
    url,
    leadlatch,
    log,
    onSignedIn (request, reply, shopper) {
      // A new secret for the person who signed in: one that was planted before finds nothing (session fixation).
      const visit = findVisit(visits, request)
      visits.erase(request.cookies[VISIT_COOKIE])
      saveVisit(visits, reply, { ...visit, shopper })
    }
  })
  app.get('/owner', async (_request, reply) => sendPage(reply, ownerPage(await listLeads(leadlatch, log))))
  return app
}

function registerCart (app: FastifyInstance, visits: Visits): void {
  app.get('/', async (_request, reply) => sendPage(reply, productPage()))
  app.get('/cart', async (request, reply) => sendPage(reply, cartPage(findVisit(visits, request), NOTICES.get(noticeName(request)))))
  app.post('/cart', async (request, reply) => {
    const quantity = Number(formField(request, 'quantity'))
    const visit = visits.find(request.cookies[VISIT_COOKIE]) ?? startVisit(visits, reply)
    visit.quantity = Number.isInteger(quantity) && quantity >= 1 && quantity <= 6 ? quantity : 1
    return reply.redirect('/cart', 303)
  })
}

function registerCheckout (app: FastifyInstance, { visits, leadlatch, log }: Pick<ShopOptions, 'leadlatch' | 'log'> & { visits: Visits }): void {
  const customerNumbers = new Map<string, string>()
  let lastOrder = FIRST_ORDER - 1

  app.get('/checkout', async (request, reply) => {
    const visit = findVisit(visits, request)
    const name = noticeName(request)
    // Without a cart, as in a browser that did not begin the sign-in, the notice is needed all the more.
    if (visit.quantity === 0) return reply.redirect(NOTICES.has(name) ? `/cart?notice=${name}` : '/cart', 303)
    return sendPage(reply, checkoutPage(visit, { name: visit.shopper?.name ?? '', email: '', isEmailWrong: false }, NOTICES.get(name)))
  })

  app.post('/checkout', async (request, reply) => {
    const visit = findVisit(visits, request)
    if (visit.quantity === 0) return reply.redirect('/cart', 303)
    const form = parseCheckout(request)
    if (form.isEmailWrong) return sendPage(reply.code(422), checkoutPage(visit, form, undefined))
    const { name, email } = form
    const { shopper, quantity } = visit
    const isReported = shopper !== null && await report(shopper.customerId, form)
    visit.order = { number: ++lastOrder, quantity, name, email, shopper, isReported }
    visit.quantity = 0
    return reply.redirect('/order', 303)
  })

  app.post('/checkout/forget', async (request, reply) => {
    findVisit(visits, request).shopper = null
    return reply.redirect('/checkout', 303)
  })

  app.get('/order', async (request, reply) => {
    const { order } = findVisit(visits, request)
    return order === null ? reply.redirect('/', 303) : sendPage(reply, orderPage(order))
  })

  // The order stands whether or not Leadlatch can be told of it: signing in must never cost a sale.
  async function report (customerId: string, { name, email }: CheckoutForm): Promise<boolean> {
    const externalId = customerNumbers.get(customerId) ?? String(customerNumbers.size + 1)
    customerNumbers.set(customerId, externalId)
    try {
      await leadlatch.reportCustomer(customerId, { external_id: externalId, email, email_source: 'typed', ...(name !== '' && { name }) })
      return true
    } catch (error) {
      log(`The e-mail address could not be reported: ${messageOf(error)}`)
      return false
    }
  }
}

function parseCheckout (request: FastifyRequest): CheckoutForm {
  const name = formField(request, 'name').trim().slice(0, 100)
  const email = formField(request, 'email').trim()
  return { name, email: email.slice(0, 254), isEmailWrong: email.length > 254 || !/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(email) }
}

async function listLeads (leadlatch: Leadlatch, log: (line: string) => void): Promise<Record<string, unknown>[] | null> {
  try {
    return await leadlatch.listLeads()
  } catch (error) {
    log(`The leads could not be read: ${messageOf(error)}`)
    return null
  }
}

function findVisit (visits: Visits, request: FastifyRequest): Visit {
  return visits.find(request.cookies[VISIT_COOKIE]) ?? { quantity: 0, shopper: null, order: null }
}

function startVisit (visits: Visits, reply: FastifyReply): Visit {
  return saveVisit(visits, reply, { quantity: 0, shopper: null, order: null })
}

function saveVisit (visits: Visits, reply: FastifyReply, visit: Visit): Visit {
  reply.setCookie(VISIT_COOKIE, visits.save(visit), { path: '/', httpOnly: true, sameSite: 'lax' })
  return visit
}

function noticeName ({ query }: FastifyRequest): string {
  return isObject(query) && typeof query['notice'] === 'string' ? query['notice'] : ''
}

function formField (request: FastifyRequest, name: string): string {
  return request.body instanceof URLSearchParams ? request.body.get(name) ?? '' : ''
}

function sendPage (reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page)
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
