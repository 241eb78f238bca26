import { jsonAnswer, type Answer } from './answer.ts'
import { graphErrorAnswer, parameterError, permissionError } from './errors.ts'
import { flavours, type FlavourName } from './flavours.ts'
import type { Persona } from './personas.ts'
import { readPersona, type AccessToken, type Platform } from './platform.ts'

/**
 * Answers `/me` for a token that works. One unknown field fails the whole call; a field that the
 * account does not have is left out.
 */
export function answerProfile (platform: Platform, token: AccessToken, query: URLSearchParams): Answer {
  const { profileFields, profileScope } = flavours[token.flavour]
  if (!token.permissions.includes(profileScope)) return graphErrorAnswer(permissionError())
  const fields = (query.get('fields') ?? 'id').split(',').map((field) => field.trim()).filter((field) => field !== '')
  const unknown = fields.find((field) => !profileFields.includes(field))
  if (unknown !== undefined) return graphErrorAnswer(parameterError(`Tried accessing nonexisting field (${unknown})`))
  const profile = buildProfile(token.flavour, readPersona(platform, token.personaId))
  return jsonAnswer(200, JSON.stringify(profile, ['id', ...fields]))
}

// Ids are strings here, unlike in the token reply. Basic Display knew one id for an account.
function buildProfile (flavour: FlavourName, persona: Persona): Record<string, string | number | undefined> {
  return {
    id: flavour === 'basicDisplay' ? persona.userId : persona.appScopedId,
    user_id: persona.userId,
    username: persona.username,
    name: persona.name ?? undefined,
    account_type: persona.accountType,
    profile_picture_url: persona.pictureURL ?? undefined,
    media_count: persona.mediaCount,
  }
}
