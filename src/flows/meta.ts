import { randomBytes } from 'node:crypto'
import type { Config } from '../config.ts'
import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { parseSignedRequest, type SignedRequest, type Signer } from '../providers/signed-request.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { type Statement, StoreError } from '../store/database.ts'
import { type DeletionTimes, findDeletion, findDeletionCode, saveDeletion } from '../store/deletions.ts'
import {
  detachIdentities, eraseIdentity, findOwner, type FoundIdentity, listPerson, type Owner, revokeToken, touchCustomer
} from '../store/identities.ts'
import { searchKey } from '../text.ts'

// Logins and changes can come between our read and our write; not so often in a row.
const MAX_TRIES = 10
const ACTOR = 'meta'

/** The answer to a deletion request, in Meta's words. */
export type DeletionReply = { url: string, confirmation_code: string }

/**
 * Marks the tokens of a person revoked who took their consent back at Meta, in every shop that has them.
 * A token obtained after the second of the request is another consent, and stays.
 * @param signedRequest the field as received
 * @throws {SignedRequestError} when it is not genuine; then nothing is changed
 */
export async function deauthorize (parts: Parts, signedRequest: string): Promise<void> {
  const request = parseSignedRequest(signedRequest, { signers: listSigners(parts.config), nowMs: parts.now() })
  await writeUnlessOvertaken(parts, async () => {
    const found = await listFound(parts, request)
    return found.filter(({ isTokenLive }) => isTokenLive).flatMap((identity) => [
      revokeToken(identity.id, { nowMs: parts.now(), beforeMs: endOf(request) }),
      touchCustomer(identity.customerId, parts.now()),
      record(parts, identity, 'token.revoke')
    ])
  })
}

/**
 * Erases what came from a person's account at Meta, in every shop that has it, before it answers. A
 * request that comes again is answered with the same code and acts no second time; one about somebody
 * unknown is answered too, so that the answer tells nothing.
 * @param signedRequest the field as received
 * @throws {SignedRequestError} when it is not genuine; then nothing is changed
 */
export async function requestDeletion (parts: Parts, signedRequest: string): Promise<DeletionReply> {
  const { config, database, now } = parts
  const receivedAtMs = now()
  const request = parseSignedRequest(signedRequest, { signers: listSigners(config), nowMs: receivedAtMs })
  const { fingerprint, issuedAtSeconds } = request
  let code = await findDeletionCode(database, fingerprint)
  if (code === undefined) {
    const newCode = randomBytes(16).toString('hex')
    await writeUnlessOvertaken(parts, async () => {
      code = await findDeletionCode(database, fingerprint)
      if (code !== undefined) return []
      const deletion = { code: newCode, fingerprint, issuedAtMs: issuedAtSeconds * 1000, receivedAtMs, completedAtMs: now() }
      return [saveDeletion(deletion), ...await planErasure(parts, request)]
    })
    code ??= newCode
  }
  return { url: `${config.publicURL}/meta/data-deletion/${code}`, confirmation_code: code }
}

/** What the status page tells of a confirmation code; undefined when there is none such. */
export async function findDeletionStatus ({ database }: Pick<Parts, 'database'>, code: string): Promise<DeletionTimes | undefined> {
  return /^[0-9a-f]{32}$/.test(code) ? findDeletion(database, code) : undefined
}

// Meta signs with the Meta app's secret, or with the Instagram app's: its documentation does not say.
function listSigners ({ instagram, instagramBasicDisplay }: Pick<Config, 'instagram' | 'instagramBasicDisplay'>): Signer[] {
  const apps = [['instagram', instagram], ['instagram-basic-display', instagramBasicDisplay]] as const
  return apps.flatMap(([provider, settings]) => settings === null
    ? []
    : [{ provider, appId: settings.clientId, secrets: [settings.appSecret, settings.clientSecret].filter((secret) => secret !== null) }])
}

// Meta's time is in whole seconds: what happened within that second came before.
function endOf ({ issuedAtSeconds }: SignedRequest): number {
  return (issuedAtSeconds + 1) * 1000
}

async function listFound ({ database }: Parts, request: SignedRequest): Promise<FoundIdentity[]> {
  const { apps, userId } = request
  const found = await Promise.all(apps.map((app) => listPerson(database, { ...app, userId, beforeMs: endOf(request) })))
  return found.flat()
}

async function planErasure (parts: Parts, request: SignedRequest): Promise<Statement[]> {
  const { database, now } = parts
  const found = await listFound(parts, request)
  const ids = new Set(found.map(({ id }) => id))
  const customerIds = new Set(found.map(({ customerId }) => customerId))
  const owners = await Promise.all(Array.from(customerIds, (id) => findOwner(database, id)))
  return [
    ...found.flatMap((identity) => [eraseIdentity(identity.id, endOf(request)), record(parts, identity, 'identity.erase')]),
    ...owners.filter((owner) => owner !== undefined).flatMap((owner) => detach(owner, ids, now()))
  ]
}

function detach (owner: Owner, erasedIds: ReadonlySet<string>, nowMs: number): Statement[] {
  const left = owner.identities.filter(({ id }) => !erasedIds.has(id))
  const next = left.find(({ id }) => id === owner.lastIdentityId) ?? left[0] ?? null
  const shownName = owner.name ?? next?.name ?? null
  return detachIdentities(owner, next, { nameKey: shownName === null ? null : searchKey(shownName), nowMs })
}

function record ({ now }: Parts, { id, shopId, customerId }: FoundIdentity, action: string): Statement {
  return saveAuditEntry({ id: buildId('aud', now()), shopId, customerId, actor: ACTOR, action, subject: id, atMs: now() })
}

// Each plan is written whole and only onto what it was made for; else it is made anew.
async function writeUnlessOvertaken ({ database }: Parts, plan: () => Promise<Statement[]>): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const statements = await plan()
    if (statements.length === 0) return
    try {
      await database.batch(statements)
      return
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'unexpected_row_count')) throw error
    }
  }
  throw new StoreError('unavailable', 'A person changed under every try to write what Meta asked for.')
}
