import type { EmulatorApps } from './apps.ts'

/** Origins of the emulator: `front` for browsers, `back` for calls between servers. */
export type Origins = { front: string, back: string }

/** Builds the service's settings for both flavours, by their names in the environment. */
export function buildSettings (apps: EmulatorApps, { front, back }: Origins): Record<string, string> {
  const flavoured = [
    ['LEADLATCH_INSTAGRAM', apps.instagram, '/www'],
    ['LEADLATCH_INSTAGRAM_BASIC_DISPLAY', apps.basicDisplay, '/api'],
  ] as const
  return Object.fromEntries(flavoured.flatMap(([prefix, app, host]) => [
    [`${prefix}_CLIENT_ID`, app.clientId],
    [`${prefix}_CLIENT_SECRET`, app.clientSecret],
    [`${prefix}_APP_SECRET`, app.metaAppSecret],
    [`${prefix}_AUTHORIZE_URL`, `${front}${host}/oauth/authorize`],
    [`${prefix}_TOKEN_URL`, `${back}/api/oauth/access_token`],
    [`${prefix}_GRAPH_URL`, `${back}/graph`],
  ]))
}
