import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import { ConfigError, listUnknownSettings, loadConfig, loadStoreConfig } from '../src/config.ts'

const KEY = randomBytes(32).toString('base64')
const MINIMAL = { LEADLATCH_PUBLIC_URL: 'https://login.example.com' }
const APP = { LEADLATCH_INSTAGRAM_CLIENT_ID: '990602627938098', LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'eb8c7secret' }
const OLD_APP = { LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_ID: '42', LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_SECRET: 's' }

const noFiles = (): string => { throw Object.assign(new Error('no such file'), { code: 'ENOENT' }) }

function complaintOf (settings: Record<string, string>, readFile: (path: string) => string = noFiles): string {
  try {
    loadConfig({ ...MINIMAL, ...settings }, readFile)
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'invalid_settings') return error.message
    throw error
  }
  return ''
}

test('with the public URL alone, every other setting has the default of the contract', async (t) => {
  t.strictSame(loadConfig(MINIMAL, noFiles), {
    publicURL: 'https://login.example.com',
    host: '127.0.0.1',
    port: 8787,
    trustProxy: [],
    databaseURL: 'sqlite:./data/leadlatch.db',
    encryptionKeys: null,
    logLevel: 'info',
    metricsToken: null,
    rateLimit: 300,
    instagram: null,
    instagramBasicDisplay: null
  })
})

test('the settings cannot be changed afterwards', async (t) => {
  const config = loadConfig({ ...MINIMAL, ...APP, LEADLATCH_TRUST_PROXY: '10.0.0.1' }, noFiles)
  for (const part of [config, config.instagram, config.instagram?.scopes, config.trustProxy]) t.ok(Object.isFrozen(part))
})

test('every setting is read under its name', async (t) => {
  const config = loadConfig({
    LEADLATCH_PUBLIC_URL: 'https://login.example.com/leadlatch/',
    LEADLATCH_HOST: '0.0.0.0',
    LEADLATCH_PORT: '80',
    LEADLATCH_TRUST_PROXY: '10.0.0.5, 192.168.0.0/16,fd00::/8',
    DATABASE_URL: 'sqlite:/var/lib/leadlatch/a.db',
    LEADLATCH_ENCRYPTION_KEYS: `new:${KEY},old:${Buffer.alloc(32, 1).toString('base64')}`,
    LEADLATCH_LOG_LEVEL: 'silent',
    LEADLATCH_METRICS_TOKEN: 'abc.DEF-1=',
    LEADLATCH_RATE_LIMIT: '0',
    ...APP,
    LEADLATCH_INSTAGRAM_APP_SECRET: 'metasecret',
    LEADLATCH_INSTAGRAM_SCOPE: 'instagram_business_basic,instagram_business_manage_messages',
    LEADLATCH_INSTAGRAM_AUTHORIZE_URL: 'http://instagram.localhost:9/www/oauth/authorize',
    LEADLATCH_INSTAGRAM_TOKEN_URL: 'http://127.0.0.1:9/api/oauth/access_token',
    LEADLATCH_INSTAGRAM_GRAPH_URL: 'http://[::1]:9/graph/v25.0/'
  }, noFiles)
  t.strictSame({ ...config, encryptionKeys: config.encryptionKeys?.map(({ id, bytes }) => [id, bytes.length]) }, {
    publicURL: 'https://login.example.com/leadlatch',
    host: '0.0.0.0',
    port: 80,
    trustProxy: ['10.0.0.5', '192.168.0.0/16', 'fd00::/8'],
    databaseURL: 'sqlite:/var/lib/leadlatch/a.db',
    encryptionKeys: [['new', 32], ['old', 32]],
    logLevel: 'silent',
    metricsToken: 'abc.DEF-1=',
    rateLimit: 0,
    instagram: {
      clientId: '990602627938098',
      clientSecret: 'eb8c7secret',
      appSecret: 'metasecret',
      scopes: ['instagram_business_basic', 'instagram_business_manage_messages'],
      authorizeURL: 'http://instagram.localhost:9/www/oauth/authorize',
      tokenURL: 'http://127.0.0.1:9/api/oauth/access_token',
      graphURL: 'http://[::1]:9/graph/v25.0'
    },
    instagramBasicDisplay: null
  })
})

test('each flavour of Instagram has the addresses and scopes of its own protocol', async (t) => {
  const { instagram, instagramBasicDisplay } = loadConfig({ ...MINIMAL, ...APP, ...OLD_APP }, noFiles)
  t.match(instagram, {
    appSecret: null,
    scopes: ['instagram_business_basic'],
    authorizeURL: 'https://www.instagram.com/oauth/authorize',
    tokenURL: 'https://api.instagram.com/oauth/access_token',
    graphURL: /^https:\/\/graph\.instagram\.com$/
  })
  t.match(instagramBasicDisplay, {
    clientId: '42',
    scopes: ['user_profile', 'user_media'],
    authorizeURL: 'https://api.instagram.com/oauth/authorize',
    tokenURL: 'https://api.instagram.com/oauth/access_token',
    graphURL: /^https:\/\/graph\.instagram\.com$/
  })
})

test('an empty setting counts as unset', async (t) => {
  const config = loadConfig({ ...MINIMAL, LEADLATCH_PORT: '', DATABASE_URL: '', LEADLATCH_INSTAGRAM_CLIENT_ID: '', LEADLATCH_INSTAGRAM_CLIENT_SECRET_FILE: '' }, noFiles)
  t.match(config, { port: 8787, databaseURL: 'sqlite:./data/leadlatch.db', instagram: null })
})

test('the public URL must be set for the service and need not be for the store', async (t) => {
  t.throws(() => loadConfig({}, noFiles), { code: 'invalid_settings', message: /LEADLATCH_PUBLIC_URL must be set/ })
  t.strictSame(loadStoreConfig({}, noFiles), { databaseURL: 'sqlite:./data/leadlatch.db', encryptionKeys: null })
  t.throws(() => loadStoreConfig({ LEADLATCH_PORT: 'x' }, noFiles), { code: 'invalid_settings' })
})

const accepted: Array<[name: string, value: string, why: string]> = [
  ['LEADLATCH_PUBLIC_URL', 'http://localhost:8787', 'http is fine on localhost'],
  ['LEADLATCH_PUBLIC_URL', 'http://login.localhost', 'names below localhost are loopback'],
  ['LEADLATCH_PUBLIC_URL', 'http://127.9.9.9:1', 'all of 127.0.0.0/8 is loopback'],
  ['LEADLATCH_PUBLIC_URL', 'http://[::1]:8787', 'so is ::1'],
  ['LEADLATCH_HOST', '::', 'an IPv6 address'],
  ['LEADLATCH_HOST', 'login.internal', 'a host name'],
  ['LEADLATCH_PORT', '0', 'any free port'],
  ['DATABASE_URL', 'sqlite::memory:', 'in memory'],
  ['DATABASE_URL', 'sqlite:///var/a.db', 'three slashes are an absolute path'],
  ['LEADLATCH_ENCRYPTION_KEYS', ` a:${KEY} `, 'spaces around a key'],
  ['LEADLATCH_INSTAGRAM_SCOPE', 'instagram_business_basic instagram_business_manage_insights', 'scopes joined by spaces']
]

test('what a setting may be', async (t) => {
  for (const [name, value, why] of accepted) t.equal(complaintOf({ [name]: value }), '', `${name}: ${why}`)
})

const refused: Array<[name: string, value: string, must: RegExp]> = [
  ['LEADLATCH_PUBLIC_URL', 'http://login.example.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'http://localhost.example.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'http://127.0.0.1.example.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'https://login.example.com/?a=1', /without query/],
  ['LEADLATCH_PUBLIC_URL', 'https://login.example.com/?', /without query/],
  ['LEADLATCH_PUBLIC_URL', 'https://login.example.com/#', /fragment/],
  ['LEADLATCH_PUBLIC_URL', 'https://me:secret@login.example.com', /user/],
  ['LEADLATCH_PUBLIC_URL', 'https://*.example.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'https://login.exam\nple.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'login.example.com', /https/],
  ['LEADLATCH_PUBLIC_URL', 'ftp://login.example.com', /https/],
  ['LEADLATCH_HOST', 'http://127.0.0.1', /IP address/],
  ['LEADLATCH_PORT', '65536', /0 to 65535/],
  ['LEADLATCH_PORT', '8787.5', /whole number/],
  ['LEADLATCH_PORT', ' 8787', /whole number/],
  ['LEADLATCH_RATE_LIMIT', '-1', /whole number/],
  ['LEADLATCH_TRUST_PROXY', 'true', /addresses and ranges/],
  ['LEADLATCH_TRUST_PROXY', '*', /addresses and ranges/],
  ['LEADLATCH_TRUST_PROXY', '0.0.0.0/0', /addresses and ranges/],
  ['LEADLATCH_TRUST_PROXY', '::/0', /addresses and ranges/],
  ['LEADLATCH_TRUST_PROXY', '10.0.0.0/33', /addresses and ranges/],
  ['LEADLATCH_TRUST_PROXY', '10.0.0.1,', /addresses and ranges/],
  ['LEADLATCH_LOG_LEVEL', 'INFO', /trace, debug, info, warn, error, fatal, silent/],
  ['LEADLATCH_METRICS_TOKEN', 'two words', /letters, digits/],
  ['DATABASE_URL', 'postgres://u:p@db/leadlatch', /does not have PostgreSQL yet/],
  ['DATABASE_URL', 'postgresql://db/leadlatch', /does not have PostgreSQL yet/],
  ['DATABASE_URL', 'mysql://db', /sqlite:/],
  ['DATABASE_URL', 'sqlite:', /path of a file/],
  ['DATABASE_URL', 'sqlite://data/a.db', /path of a file/],
  ['DATABASE_URL', 'sqlite:a.db?mode=ro', /path of a file/],
  ['LEADLATCH_ENCRYPTION_KEYS', KEY, /id:key/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${Buffer.alloc(31).toString('base64')}`, /32 bytes/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${Buffer.alloc(33).toString('base64')}`, /32 bytes/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${Buffer.alloc(32).toString('base64').replace('A=', 'B=')}`, /32 bytes/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${Buffer.alloc(32).toString('base64').replace('=', '')}`, /32 bytes/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a.b:${KEY}`, /letters, digits, _ or -/],
  ['LEADLATCH_ENCRYPTION_KEYS', `${'a'.repeat(33)}:${KEY}`, /1 to 32/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${KEY},a:${Buffer.alloc(32).toString('base64')}`, /two keys alike/],
  ['LEADLATCH_ENCRYPTION_KEYS', `a:${KEY},`, /id:key/],
  ['LEADLATCH_INSTAGRAM_AUTHORIZE_URL', 'http://www.instagram.com/oauth/authorize', /https/],
  ['LEADLATCH_INSTAGRAM_AUTHORIZE_URL', 'https://api.instagram.com/oauth/authorize', /www\.instagram\.com/],
  ['LEADLATCH_INSTAGRAM_AUTHORIZE_URL', 'https://API.instagram.com./oauth/authorize', /www\.instagram\.com/],
  ['LEADLATCH_INSTAGRAM_TOKEN_URL', 'https://api.instagram.com/v1/oauth', /oauth\/access_token/],
  ['LEADLATCH_INSTAGRAM_TOKEN_URL', 'https://u:p@api.instagram.com/oauth/access_token', /user/],
  ['LEADLATCH_INSTAGRAM_GRAPH_URL', 'https://api.instagram.com/v1', /graph\.instagram\.com/],
  ['LEADLATCH_INSTAGRAM_GRAPH_URL', 'https://graph.instagram.com/?fields=id', /without query/],
  ['LEADLATCH_INSTAGRAM_SCOPE', 'user_profile,user_media', /instagram_business_basic.*user_profile, user_media/],
  ['LEADLATCH_INSTAGRAM_SCOPE', 'basic', /instagram_business_basic.*basic/],
  ['LEADLATCH_INSTAGRAM_SCOPE', 'business_basic', /instagram_business_basic.*business_basic/],
  ['LEADLATCH_INSTAGRAM_SCOPE', 'b,a,s,i,c!', /joined by commas/]
]

test('what a setting must be is said under its name, and its value is not', async (t) => {
  for (const [name, value, must] of refused) {
    const [heading, line, ...others] = complaintOf({ ...APP, [name]: value }).split('\n')
    t.match(heading, /^One setting is wrong/, `${name} ${value}`)
    t.match(line, new RegExp(`^ {2}${name} must .*\\.$`), `${name} ${value}`)
    t.match(line, must, `${name} ${value}`)
    t.strictSame(others, [])
  }
})

test('one message names every wrong setting', async (t) => {
  const message = complaintOf({
    LEADLATCH_PUBLIC_URL: 'x',
    LEADLATCH_PORT: 'x',
    DATABASE_URL: 'x',
    LEADLATCH_LOG_LEVEL: 'x',
    LEADLATCH_RATE_LIMIT: 'x',
    LEADLATCH_INSTAGRAM_CLIENT_SECRET: 's',
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_ID: '1',
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_TOKEN_URL: 'x'
  })
  t.strictSame(message.split('\n').slice(1).map((line) => line.trim().split(' ')[0]).sort(), [
    'DATABASE_URL', 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_SECRET', 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_TOKEN_URL',
    'LEADLATCH_INSTAGRAM_CLIENT_ID', 'LEADLATCH_LOG_LEVEL', 'LEADLATCH_PORT', 'LEADLATCH_PUBLIC_URL', 'LEADLATCH_RATE_LIMIT'
  ])
})

test('a message holds no value, not even of a secret under the wrong name', async (t) => {
  const secret = 'sup3rs3cr3t value'
  const message = complaintOf(Object.fromEntries([
    'LEADLATCH_PUBLIC_URL', 'LEADLATCH_HOST', 'LEADLATCH_PORT', 'LEADLATCH_TRUST_PROXY', 'DATABASE_URL', 'LEADLATCH_ENCRYPTION_KEYS',
    'LEADLATCH_LOG_LEVEL', 'LEADLATCH_METRICS_TOKEN', 'LEADLATCH_RATE_LIMIT', 'LEADLATCH_INSTAGRAM_CLIENT_ID',
    'LEADLATCH_INSTAGRAM_CLIENT_SECRET', 'LEADLATCH_INSTAGRAM_APP_SECRET', 'LEADLATCH_INSTAGRAM_AUTHORIZE_URL'
  ].map((name) => [name, secret])))
  t.match(message, /^13 settings are wrong/)
  t.notMatch(message, 'sup3rs3cr3t')
})

test('a client id that is no number is refused for Instagram itself and fine for a look-alike', async (t) => {
  t.match(complaintOf({ ...APP, LEADLATCH_INSTAGRAM_CLIENT_ID: 'my-app' }), /CLIENT_ID must be the Instagram app id .* a number/)
  t.equal(complaintOf({
    ...APP,
    LEADLATCH_INSTAGRAM_CLIENT_ID: 'my-app',
    LEADLATCH_INSTAGRAM_AUTHORIZE_URL: 'https://look.example/authorize',
    LEADLATCH_INSTAGRAM_TOKEN_URL: 'https://look.example/token',
    LEADLATCH_INSTAGRAM_GRAPH_URL: 'https://look.example/graph'
  }), '')
})

test('the retired flavour keeps its own scopes and host', async (t) => {
  t.equal(complaintOf({
    ...OLD_APP,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_SCOPE: 'user_profile',
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_AUTHORIZE_URL: 'https://api.instagram.com/oauth/authorize'
  }), '')
})

test('a secret may come from a file, whose last line end is cut', async (t) => {
  const files: Record<string, string> = { '/s/keys': `k:${KEY}\r\n`, '/s/db': 'sqlite:./b.db' }
  const config = loadConfig({
    ...MINIMAL,
    LEADLATCH_INSTAGRAM_CLIENT_ID: '1',
    LEADLATCH_INSTAGRAM_CLIENT_SECRET_FILE: '/s/keys',
    LEADLATCH_ENCRYPTION_KEYS_FILE: '/s/keys',
    DATABASE_URL_FILE: '/s/db'
  }, (path) => files[path] ?? noFiles())
  t.equal(config.instagram?.clientSecret, `k:${KEY}`)
  t.equal(config.encryptionKeys?.[0]?.id, 'k')
  t.equal(config.databaseURL, 'sqlite:./b.db')
})

test('a file that cannot be read or is empty is named by its setting', async (t) => {
  t.match(complaintOf({ LEADLATCH_METRICS_TOKEN_FILE: '/none' }), /LEADLATCH_METRICS_TOKEN_FILE must name a file that can be read \(ENOENT\)\./)
  t.match(complaintOf({ LEADLATCH_METRICS_TOKEN_FILE: '/empty' }, () => '\n'), /LEADLATCH_METRICS_TOKEN_FILE must name a file that is not empty\./)
})

test('a client secret whose file cannot be read is complained of once', async (t) => {
  const message = complaintOf({ LEADLATCH_INSTAGRAM_CLIENT_ID: '1', LEADLATCH_INSTAGRAM_CLIENT_SECRET_FILE: '/none' })
  t.equal(message.split('\n').length, 2, message)
})

test('T-72: a secret given both as a value and as a file is refused', async (t) => {
  for (const name of ['DATABASE_URL', 'LEADLATCH_ENCRYPTION_KEYS', 'LEADLATCH_METRICS_TOKEN', 'LEADLATCH_INSTAGRAM_CLIENT_SECRET',
    'LEADLATCH_INSTAGRAM_APP_SECRET', 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_SECRET', 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_APP_SECRET']) {
    t.match(complaintOf({ [name]: 'x', [`${name}_FILE`]: '/x' }, () => 'x'), `${name} and ${name}_FILE must not both be set.`)
  }
})

test('a setting with a typing error is told from one of another version', async (t) => {
  t.strictSame(listUnknownSettings({
    ...MINIMAL,
    ...APP,
    LEADLATCH_INSTAGRAM_APP_SECRET_FILE: '/x',
    LEADLATCH_INSTGRAM_CLIENT_ID: '1',
    LEADLATCH_PORT_FILE: '/x',
    LEADLATCH_EMPTY: '',
    LEADLATCH_RETENTION_DAYS: '30',
    LEADLATCH_FACEBOOK_GRAPH_VERSION: 'v25.0',
    LEADLATCH_GOOGLE_CLIENT_SECRET_FILE: '/x',
    LEADLATCH_OIDC_MY_SSO_TRUST_EMAIL: 'true',
    PATH: '/bin'
  }), [
    { name: 'LEADLATCH_FACEBOOK_GRAPH_VERSION', isPlanned: true },
    { name: 'LEADLATCH_GOOGLE_CLIENT_SECRET_FILE', isPlanned: true },
    { name: 'LEADLATCH_INSTGRAM_CLIENT_ID', isPlanned: false },
    { name: 'LEADLATCH_OIDC_MY_SSO_TRUST_EMAIL', isPlanned: true },
    { name: 'LEADLATCH_PORT_FILE', isPlanned: false },
    { name: 'LEADLATCH_RETENTION_DAYS', isPlanned: true }
  ])
})

test('a public URL whose path is a folder of our own is refused, for a proxy that strips it would hide the folder', async (t) => {
  for (const folder of ['oauth', 'v1', 'health', 'meta', 'guide', '.well-known', 'metrics', 'openapi.json']) {
    t.throws(() => loadConfig({ LEADLATCH_PUBLIC_URL: `https://login.example/${folder}` }, () => ''), { code: 'invalid_settings', message: /LEADLATCH_PUBLIC_URL must not have a path/ }, folder)
  }
  t.equal(loadConfig({ LEADLATCH_PUBLIC_URL: 'https://login.example/sign-in/' }, () => '').publicURL, 'https://login.example/sign-in')
})
