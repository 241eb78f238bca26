import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { changeCustomer, type CustomerLookup, findCustomerView, lookUpCustomers } from '../flows/customers.ts'
import type { Parts } from '../parts.ts'
import { keyOf } from './bearer.ts'
import { invalidMember, notFound, Problem } from './problem.ts'
import { Customer, choice, problems, shared, textOrNull } from './schemas.ts'

// 10,000 characters of a name, each written as two \\u escapes.
const MAX_CHANGE_BYTES = 256 * 1024

const CustomerId = Type.Object({ id: Type.String() })

const LookupQuery = Type.Object({
  external_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  email: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'Compared without regard to case' })),
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Together with provider_user_id' })),
  provider_user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Either id that the provider gives a person' }))
}, { additionalProperties: false })

const CustomerChange = Type.Object({
  external_id: Type.Optional(textOrNull({ minLength: 1, maxLength: 200, description: 'Set while empty; null clears it' })),
  email: Type.Optional(textOrNull({ maxLength: 254, pattern: '^[^\\s@\\u0000-\\u001f\\u007f]+@[^\\s@\\u0000-\\u001f\\u007f]+$' })),
  email_source: Type.Optional(choice(['typed', 'confirmed'], { description: 'Where the email of the same request comes from; typed unless said' })),
  name: Type.Optional(textOrNull({ minLength: 1, maxLength: 10_000 })),
  phone: Type.Optional(textOrNull({ minLength: 1, maxLength: 40 }))
}, { additionalProperties: false })

/** Look up, read and change customers. */
export const customerRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  app.get('/v1/customers/:id', {
    config: { scope: 'leads:read' },
    schema: {
      operationId: 'getCustomer',
      summary: 'One customer',
      params: CustomerId,
      querystring: Type.Object({}, { additionalProperties: false }),
      response: { 200: shared(Customer), ...problems(400, 401, 403, 404) }
    }
  }, async (request) => {
    const customer = await findCustomerView(parts, keyOf(request).shopId, request.params.id)
    if (customer === undefined) throw notFound()
    return customer
  })

  app.get('/v1/customers', {
    config: { scope: 'leads:read' },
    schema: {
      operationId: 'lookUpCustomers',
      summary: 'Customers by external_id, email, username, or provider with provider_user_id',
      querystring: LookupQuery,
      response: { 200: Type.Object({ data: Type.Array(shared(Customer)) }), ...problems(400, 401, 403) }
    }
  }, async (request) => ({ data: await lookUpCustomers(parts, keyOf(request).shopId, lookupOf(request.query)) }))

  app.patch('/v1/customers/:id', {
    config: { scope: 'leads:write' },
    bodyLimit: MAX_CHANGE_BYTES,
    schema: {
      operationId: 'changeCustomer',
      summary: 'Change a customer; what is absent keeps its value',
      params: CustomerId,
      querystring: Type.Object({}, { additionalProperties: false }),
      body: CustomerChange,
      response: { 200: shared(Customer), ...problems(400, 401, 403, 404, 409, 413, 415) }
    }
  }, async (request) => {
    const { body, params } = request
    if (body.email_source !== undefined && typeof body.email !== 'string') {
      throw invalidMember('email_source', 'The member "email_source" needs the address that it speaks of as "email".')
    }
    const { id: keyId, shopId } = keyOf(request)
    const change = await changeCustomer(parts, { shopId, id: params.id, actor: `key:${keyId}` }, body)
    switch (change.outcome) {
      case 'changed': return change.customer
      case 'not_found': throw notFound()
      case 'external_id_held': throw new Problem(409, 'external_id_held', 'Another customer has this external_id.', { member: 'external_id' })
      case 'external_id_differs': throw new Problem(409, 'external_id_differs', 'The customer has another external_id. Clear it with null first.', { member: 'external_id' })
    }
  })
}

function lookupOf (query: Static<typeof LookupQuery>): CustomerLookup {
  const { external_id: externalId, email, username, provider, provider_user_id: userId } = query
  const lookups: CustomerLookup[] = []
  if (externalId !== undefined) lookups.push({ by: 'external_id', value: externalId })
  if (email !== undefined) lookups.push({ by: 'email', value: email })
  if (username !== undefined) lookups.push({ by: 'username', value: username })
  if (provider !== undefined && userId === undefined) throw invalidMember('provider_user_id', 'The member "provider" needs "provider_user_id".')
  if (provider === undefined && userId !== undefined) throw invalidMember('provider', 'The member "provider_user_id" needs "provider".')
  if (provider !== undefined && userId !== undefined) lookups.push({ by: 'provider_user', provider, value: userId })
  const [lookup, second] = lookups
  if (lookup === undefined) throw invalidMember('external_id', 'The query needs one of external_id, email, username, or provider with provider_user_id.')
  if (second !== undefined) {
    const member = second.by === 'provider_user' ? 'provider_user_id' : second.by
    throw invalidMember(member, `The query looks by "${member}" besides another member. Ask by one.`)
  }
  return lookup
}
