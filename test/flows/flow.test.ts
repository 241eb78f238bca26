import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import { buildFlowId, type Flow, sealFlow, sealHandoff, sealState, unsealFlow, unsealHandoff, unsealState } from '../../src/flows/flow.ts'
import { createVault } from '../../src/vault.ts'

const vault = createVault([{ id: 'k', bytes: randomBytes(32) }])
// What the authorization endpoint lets through: anything but control characters.
// eslint-disable-next-line no-control-regex
const visible = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed())
const flows: fc.Arbitrary<Flow> = fc.record({
  id: fc.constant(null).map(buildFlowId),
  shopId: visible,
  provider: fc.constantFrom('instagram', 'instagram-basic-display'),
  providerAppId: fc.constant('123'),
  redirectURI: visible,
  state: fc.option(visible),
  codeChallenge: fc.option(fc.constant('c'.repeat(43))),
  nonce: fc.option(visible),
  scopes: fc.subarray(['openid', 'profile', 'email']),
  startedAtMs: fc.nat()
})

test('a flow unseals as it was sealed, under its own id only', async (t) => {
  fc.assert(fc.property(flows, (flow) => {
    const sealed = sealFlow(vault, flow)
    t.same(unsealFlow(vault, flow.id, sealed), flow)
    return unsealFlow(vault, buildFlowId(), sealed) === undefined
  }), { numRuns: 50 })
})

test('a handoff code carries the flow without the state, which the shop knows', async (t) => {
  fc.assert(fc.property(flows, visible, (flow, authorizationCode) => {
    const sealed = sealHandoff(vault, { flow, authorizationCode, issuedAtMs: 5 })
    t.same(unsealHandoff(vault, sealed), { flow: { ...flow, state: null }, authorizationCode, issuedAtMs: 5 })
    return true
  }), { numRuns: 50 })
})

test('T-60: no sealed text of a flow opens as another kind', async (t) => {
  const [flow] = fc.sample(flows, 1)
  if (flow === undefined) return t.fail()
  const texts = { flow: sealFlow(vault, flow), state: sealState(vault, flow), handoff: sealHandoff(vault, { flow, authorizationCode: 'x', issuedAtMs: 1 }) }
  t.same([unsealState(vault, texts.flow), unsealState(vault, texts.handoff)], [undefined, undefined])
  t.same([unsealHandoff(vault, texts.flow), unsealHandoff(vault, texts.state)], [undefined, undefined])
  t.same([unsealFlow(vault, flow.id, texts.state), unsealFlow(vault, flow.id, texts.handoff)], [undefined, undefined])
  t.match(unsealState(vault, texts.state), { id: flow.id, shopId: flow.shopId, provider: flow.provider, startedAtMs: flow.startedAtMs })
})

test('flows sealed before a key was added still open', async (t) => {
  const bytes = randomBytes(32)
  const [flow] = fc.sample(flows, 1)
  if (flow === undefined) return t.fail()
  const before = createVault([{ id: 'old', bytes }])
  const after = createVault([{ id: 'new', bytes: randomBytes(32) }, { id: 'old', bytes }])
  t.same(unsealFlow(after, flow.id, sealFlow(before, flow)), flow)
  t.equal(unsealFlow(before, flow.id, sealFlow(after, flow)), undefined)
})
